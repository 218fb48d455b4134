//! A letter: a notice in a person's language, as text and as HTML.

use std::time::{Duration, UNIX_EPOCH};

use askama::Template;
use lettre::Message;
use lettre::message::header::{Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};

use super::MailError;
use crate::html::{ToArgument, message_text, visible};
use crate::locale::{self, Language};
use crate::pages::notice::Notice;

/// A letter that is ready to be sent. It has no secret, and no link that could do anything by itself.
#[derive(Clone, Debug)]
pub struct Letter {
    /// The identifier, the same each time that it is sent: `<…@host>`.
    pub id: String,
    /// To whom.
    pub to: String,
    /// What it is about.
    pub subject: String,
    /// When what it tells of happened, in seconds.
    pub at: i64,
    /// As text.
    pub text: String,
    /// As HTML.
    pub html: String,
}

/// Whose server writes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sender<'a> {
    /// The name people know it by.
    pub(crate) name: &'a str,
    /// Its address, `https://id.example.com`.
    pub(crate) issuer: &'a str,
}

/// Everything is text here: the template escapes it.
#[derive(Template)]
#[template(path = "mail/notice.html")]
struct Html<'a> {
    language: Language,
    title: &'a str,
    paragraphs: &'a [String],
    link: &'a str,
    link_text: &'a str,
    footer: &'a str,
}

impl Letter {
    /// Puts a notice in words.
    pub(crate) fn of(notice: &Notice, to: &str, language: Language, sender: Sender<'_>) -> Result<Self, MailError> {
        let (title, link_text) = (notice.title(&language), notice.link_text(&language));
        let when = [("date", locale::date(language, notice.at)), ("time", locale::time(notice.at))];
        let when =
            message_text(language, "notice-when", when.each_ref().map(|(name, text)| (*name, text.to_argument())));
        let mut paragraphs = vec![notice.body_text(&language)];
        paragraphs.extend(notice.place(&language));
        paragraphs.extend([when, notice.advice(&language)]);
        let link = format!("{}{}", sender.issuer, notice.link());
        let names = [("name", sender.name.to_argument()), ("issuer", sender.issuer.to_argument())];
        let footer = message_text(language, "mail-footer", names);
        let page = Html {
            language,
            title: &title,
            paragraphs: &paragraphs,
            link: &link,
            link_text: &link_text,
            footer: &footer,
        };
        let html = page.render().map_err(|error| MailError::Unwritable(error.to_string()))?;
        let text = format!("{title}\n\n{}\n\n{link_text}:\n{link}\n\n-- \n{footer}\n", paragraphs.join("\n\n"));
        let host = sender.issuer.split("://").nth(1).unwrap_or("localhost");
        let host = host.split(':').next().unwrap_or(host);
        Ok(Self {
            id: format!("<notice-{}@{host}>", notice.id),
            to: to.to_owned(),
            subject: format!("{title} · {}", visible(sender.name)),
            at: notice.at,
            text,
            html,
        })
    }

    /// The letter as it goes over the wire. Each header is written by lettre, which encodes what is not plain; an address that
    /// is none, as with a line break in it, is refused.
    pub(super) fn to_message(&self, from: &Mailbox) -> Result<Message, MailError> {
        let unwritable = |why: &dyn std::fmt::Display| MailError::Unwritable(why.to_string());
        let to: lettre::Address = self.to.parse().map_err(|error| unwritable(&error))?;
        let at = UNIX_EPOCH + Duration::from_secs(u64::try_from(self.at).unwrap_or_default());
        Message::builder()
            .from(from.clone())
            .to(Mailbox::new(None, to))
            .subject(self.subject.as_str())
            .date(at)
            .message_id(Some(self.id.clone()))
            .header(AutoSubmitted)
            .multipart(MultiPart::alternative_plain_html(self.text.clone(), self.html.clone()))
            .map_err(|error| unwritable(&error))
    }
}

/// So that no machine answers it (RFC 3834).
#[derive(Clone, Debug)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SENDER: Sender<'static> = Sender { name: "Grantor", issuer: "https://id.example.com" };

    fn letters(name: &str, to: &str) -> Vec<Letter> {
        let notices = Notice::samples(name);
        let each = notices.iter().flat_map(|notice| Language::ALL.map(|language| (notice, language)));
        each.map(|(notice, language)| Letter::of(notice, to, language, SENDER).unwrap()).collect()
    }

    fn headers(letter: &Letter) -> Vec<String> {
        let from: Mailbox = "Grantor <no-reply@example.com>".parse().unwrap();
        let message = letter.to_message(&from).unwrap().formatted();
        let text = String::from_utf8(message).unwrap();
        let head = text.split("\r\n\r\n").next().unwrap().replace("\r\n ", "").replace("\r\n\t", "");
        head.split("\r\n").map(|line| line.split(':').next().unwrap().to_owned()).collect()
    }

    #[test]
    fn each_notice_has_its_words_in_each_language() {
        for letter in letters("Backup", "ada@example.com") {
            assert!(!letter.text.contains('⟦') && !letter.html.contains('⟦'), "{}", letter.text);
            assert!(!letter.html.contains("style") && !letter.html.contains("<script"), "{}", letter.html);
            assert!(letter.text.contains("https://id.example.com/account"), "{}", letter.text);
        }
    }

    #[test]
    fn what_others_named_stays_text() {
        for letter in letters("<img src=x onerror=alert(1)>", "ada@example.com") {
            assert!(!letter.html.contains("<img"), "{}", letter.html);
        }
    }

    #[test]
    fn an_address_that_is_none_gets_no_letter() {
        let from: Mailbox = "Grantor <no-reply@example.com>".parse().unwrap();
        for to in ["", "ada", "ada@example.com\r\nBcc: eve@example.com", "ada@example.com, eve@example.com", "a b@c"] {
            assert!(letters("x", to)[0].to_message(&from).is_err(), "{to}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn no_name_makes_a_header(name in any::<String>(), issuer in any::<String>()) {
            let notice = &Notice::samples(&format!("{name}\r\nBcc: eve@example.com"))[6];
            let sender = Sender { name: &format!("{issuer}\r\nBcc: eve@example.com"), ..SENDER };
            let letter = Letter::of(notice, "ada@example.com", Language::De, sender).unwrap();
            let expected = ["From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type"];
            prop_assert_eq!(headers(&letter), expected);
        }
    }
}
