//! Renders every page with every sample in every language, and holds each against the rules for all of them.
//!
//! With `GRANTOR_PAGES=FOLDER` in the environment of the compiler, the pages are written there too, to be looked at.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use askama::Template;

use super::{
    Frame,
    account::Account,
    app_remove::AppRemove,
    apps::Apps,
    consent::Consent,
    end_session::EndSession,
    enter::Enter,
    form_post::FormPost,
    home::Home,
    refusal::Refusal,
    second_factor::{RecoveryCodes, SecondFactor},
    select_account::SelectAccount,
    sessions::Sessions,
    sign_in::SignIn,
    sign_in_code::SignInCode,
    sign_in_more::SignInMore,
    sign_in_ways::{SignInWayUnlink, SignInWays},
    sign_up::SignUp,
    signed_out::SignedOut,
    status::Status,
    token_change::TokenChange,
    token_made::TokenMade,
    token_new::TokenNew,
    tokens::Tokens,
    upstream_failed::UpstreamFailed,
    upstream_go::UpstreamGo,
    upstream_link::UpstreamLink,
    upstream_unlinked::UpstreamUnlinked,
};
use crate::locale::Language;

type Failure = Box<dyn std::error::Error>;

/// A page as sent, by a name such as `consent-hostile-de`.
type Pages = BTreeMap<String, String>;

fn every_page() -> Result<Pages, Failure> {
    let mut pages = Pages::new();
    add(&mut pages, "account", Account::samples(), |page| &mut page.frame)?;
    add(&mut pages, "app-remove", AppRemove::samples(), |page| &mut page.frame)?;
    add(&mut pages, "apps", Apps::samples(), |page| &mut page.frame)?;
    add(&mut pages, "consent", Consent::samples(), |page| &mut page.frame)?;
    add(&mut pages, "end-session", EndSession::samples(), |page| &mut page.frame)?;
    add(&mut pages, "enter", Enter::samples(), |page| &mut page.frame)?;
    add(&mut pages, "form-post", FormPost::samples(), |page| &mut page.frame)?;
    add(&mut pages, "home", Home::samples(), |page| &mut page.frame)?;
    add(&mut pages, "refusal", Refusal::samples(), |page| &mut page.frame)?;
    add(&mut pages, "recovery-codes", RecoveryCodes::samples(), |page| &mut page.frame)?;
    add(&mut pages, "second-factor", SecondFactor::samples(), |page| &mut page.frame)?;
    add(&mut pages, "sign-in-code", SignInCode::samples(), |page| &mut page.frame)?;
    add(&mut pages, "sign-in-more", SignInMore::samples(), |page| &mut page.frame)?;
    add(&mut pages, "select-account", SelectAccount::samples(), |page| &mut page.frame)?;
    add(&mut pages, "sessions", Sessions::samples(), |page| &mut page.frame)?;
    add(&mut pages, "sign-in", SignIn::samples(), |page| &mut page.frame)?;
    add(&mut pages, "sign-up", SignUp::samples(), |page| &mut page.frame)?;
    add(&mut pages, "signed-out", SignedOut::samples(), |page| &mut page.frame)?;
    add(&mut pages, "status", Status::samples(), |page| &mut page.frame)?;
    add(&mut pages, "token-change", TokenChange::samples(), |page| &mut page.frame)?;
    add(&mut pages, "token-made", TokenMade::samples(), |page| &mut page.frame)?;
    add(&mut pages, "token-new", TokenNew::samples(), |page| &mut page.frame)?;
    add(&mut pages, "tokens", Tokens::samples(), |page| &mut page.frame)?;
    add(&mut pages, "sign-in-ways", SignInWays::samples(), |page| &mut page.frame)?;
    add(&mut pages, "sign-in-way-unlink", SignInWayUnlink::samples(), |page| &mut page.frame)?;
    add(&mut pages, "upstream-failed", UpstreamFailed::samples(), |page| &mut page.frame)?;
    add(&mut pages, "upstream-go", UpstreamGo::samples(), |page| &mut page.frame)?;
    add(&mut pages, "upstream-link", UpstreamLink::samples(), |page| &mut page.frame)?;
    add(&mut pages, "upstream-unlinked", UpstreamUnlinked::samples(), |page| &mut page.frame)?;
    Ok(pages)
}

fn add<T: Template>(
    pages: &mut Pages,
    name: &str,
    samples: Vec<(&'static str, T)>,
    frame: impl Fn(&mut T) -> &mut Frame,
) -> Result<(), Failure> {
    for (label, mut page) in samples {
        for language in Language::ALL {
            frame(&mut page).language = language;
            pages.insert(format!("{name}-{label}-{}", language.tag()), page.render()?);
        }
    }
    Ok(())
}

#[test]
fn every_page_keeps_the_rules() -> Result<(), Failure> {
    let mut broken = Vec::new();
    for (name, html) in every_page()? {
        if let Some(folder) = option_env!("GRANTOR_PAGES") {
            fs::write(Path::new(folder).join(format!("{name}.html")), &html)?;
        }
        broken.extend(faults(&html).into_iter().map(|fault| format!("{name}: {fault}")));
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
    Ok(())
}

/// A start tag.
struct Tag<'a> {
    attributes: Vec<(&'a str, &'a str)>,
    name: &'a str,
}

impl<'a> Tag<'a> {
    fn get(&self, name: &str) -> Option<&'a str> {
        self.attributes.iter().find(|(attribute, _)| *attribute == name).map(|(_, value)| *value)
    }

    fn is(&self, name: &str, attribute: &str, value: &str) -> bool {
        self.name == name && self.get(attribute) == Some(value)
    }
}

/// The start tags of a page, and what is wrong with its nesting. Enough of HTML for what our templates write.
fn tags(html: &str) -> (Vec<Tag<'_>>, Vec<String>) {
    let (mut tags, mut open, mut faults) = (Vec::new(), Vec::new(), Vec::new());
    for piece in html.split('<').skip(1) {
        let Some((tag, _)) = piece.split_once('>') else {
            faults.push(format!("`<{piece}` is not closed"));
            continue;
        };
        if let Some(name) = tag.strip_prefix('/') {
            if open.pop() != Some(name) {
                faults.push(format!("`</{name}>` closes something else"));
            }
            continue;
        }
        let (name, rest) = tag.split_once(' ').unwrap_or((tag, ""));
        if !tag.ends_with('/') && !["!doctype", "img", "input", "link", "meta"].contains(&name) {
            open.push(name);
        }
        tags.push(Tag { attributes: attributes(rest), name });
    }
    faults.extend(open.into_iter().map(|name| format!("`<{name}>` is not closed")));
    (tags, faults)
}

fn attributes(mut rest: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    loop {
        rest = rest.trim_start_matches([' ', '/']);
        let end = rest.find([' ', '=']).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        if name.is_empty() {
            return found;
        }
        let value = after.strip_prefix("=\"").and_then(|quoted| quoted.split_once('"'));
        found.push((name, value.map_or("", |(value, _)| value)));
        rest = value.map_or(after, |(_, rest)| rest);
    }
}

fn faults(html: &str) -> Vec<String> {
    let (tags, mut faults) = tags(html);
    let mut rule = |holds: bool, fault: &str| {
        if !holds {
            faults.push(fault.to_owned());
        }
    };
    let count = |name: &str| tags.iter().filter(|tag| tag.name == name).count();
    let one = |name: &str| tags.iter().find(|tag| tag.name == name);
    rule(count("h1") == 1, "not exactly one h1");
    rule(count("main") == 1 && count("title") == 1, "not exactly one main and one title");
    rule(one("html").is_some_and(|tag| tag.get("lang").is_some() && tag.get("dir").is_some()), "no lang or dir");
    rule(one("body").and_then(|tag| tag.get("data-page")).is_some_and(|page| !page.is_empty()), "no data-page");
    rule(shown(html, &tags).all(is_clean), "a missing text, or a mark that must not be there");
    for tag in &tags {
        let text: Vec<String> = tag.attributes.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let shown = format!("<{} {}>", tag.name, text.join(" "));
        rule(is_quiet(tag), &format!("{shown} carries a script, a style or a foreign address"));
        rule(is_labelled(tag, &tags), &format!("{shown} has no label"));
        let id = tag.get("id");
        rule(
            id.is_none() || tags.iter().filter(|other| other.get("id") == id).count() == 1,
            &format!("{shown} shares its id"),
        );
    }
    let forms = tags
        .iter()
        .filter(|tag| tag.is("form", "method", "post") && tag.get("action").is_some_and(|to| to.starts_with('/')))
        .count();
    rule(
        tags.iter().filter(|tag| tag.is("input", "name", "csrf")).count() == forms,
        "a form without csrf, or csrf sent elsewhere",
    );
    faults
}

/// Everything that is shown or spoken. The value of a field is what the person or the app wrote, and goes back as it came.
fn shown<'a>(html: &'a str, tags: &'a [Tag<'a>]) -> impl Iterator<Item = &'a str> {
    let texts = html.split('<').filter_map(|piece| piece.split_once('>').map(|(_, text)| text));
    texts.chain(
        tags.iter().flat_map(|tag| tag.attributes.iter().filter(|(name, _)| *name != "value").map(|(_, value)| *value)),
    )
}

/// Whether a text was found, filled in, and freed from what could turn or hide it.
fn is_clean(text: &str) -> bool {
    !text.contains(['⟦', '\u{200B}', '\u{202E}', '\u{E000}', '\u{E001}']) && !text.contains("{$")
}

/// Whether a tag brings nothing that the Content-Security-Policy would have to forbid.
fn is_quiet(tag: &Tag<'_>) -> bool {
    let ours = |address: &str| {
        address.starts_with('/') && !address.starts_with("//")
            || address.starts_with("https://wiki.example.com/")
            // Where the page on the way to an upstream goes on.
            || address.starts_with("https://idp.example.com/")
            // Where an authenticator app on the same device takes its key from.
            || address.starts_with("otpauth://totp/")
            || address == "#main"
    };
    let script = tag.name != "script" || tag.get("src").is_some_and(|src| src.starts_with("/static/"));
    script
        && tag.name != "style"
        && tag.attributes.iter().all(|(name, value)| match *name {
            "action" | "formaction" | "href" | "src" => ours(value),
            "style" => false,
            _ => !name.starts_with("on"),
        })
}

fn is_labelled(tag: &Tag<'_>, tags: &[Tag<'_>]) -> bool {
    let field = ["input", "select", "textarea"].contains(&tag.name) && tag.get("type") != Some("hidden");
    !field || tag.get("id").is_some_and(|id| tags.iter().any(|label| label.is("label", "for", id)))
}

/// Enter in a form presses its first button. That must be the one that gives nothing away.
#[test]
fn the_safe_answer_to_an_app_comes_first() -> Result<(), Failure> {
    for (name, html) in every_page()?.into_iter().filter(|(name, _)| name.starts_with("consent")) {
        let at = |id: &str| html.find(&format!("<button id=\"{id}\"")).ok_or(format!("{name} has no {id}"));
        assert!(at("deny")? < at("allow")?, "{name}");
    }
    Ok(())
}

/// The messages of a language with the names set into each.
fn messages(language: Language) -> Result<BTreeMap<String, BTreeSet<String>>, Failure> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("locales").join(language.tag());
    let mut messages = BTreeMap::new();
    for file in fs::read_dir(folder)? {
        let mut current = String::new();
        for line in fs::read_to_string(file?.path())?.lines() {
            if let Some((key, _)) = line.split_once(" =").filter(|_| line.starts_with(|c: char| c.is_ascii_lowercase()))
            {
                key.clone_into(&mut current);
                assert!(messages.insert(current.clone(), BTreeSet::new()).is_none(), "{key} stands twice");
            }
            let names = line.split("{ $").skip(1).filter_map(|rest| rest.split(' ').next());
            if let Some(found) = messages.get_mut(&current) {
                found.extend(names.map(ToOwned::to_owned));
            }
        }
    }
    Ok(messages)
}

#[test]
fn both_languages_say_the_same_things() -> Result<(), Failure> {
    assert_eq!(messages(Language::En)?, messages(Language::De)?);
    Ok(())
}

#[test]
fn every_text_a_template_asks_for_exists() -> Result<(), Failure> {
    let known = messages(Language::En)?;
    let templates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../templates");
    let mut asked = 0;
    for folder in [templates.clone(), templates.join("pages"), templates.join("parts")] {
        for file in
            fs::read_dir(folder)?.filter_map(|entry| entry.ok().map(|entry| entry.path())).filter(|path| path.is_file())
        {
            let text = fs::read_to_string(&file)?;
            for method in ["frame.t(\"", "frame.with(\"", "frame.strong(\"", "frame.say(\""] {
                for key in text.split(method).skip(1).filter_map(|rest| rest.split('"').next()) {
                    assert!(known.contains_key(key), "{}: {key}", file.display());
                    asked += 1;
                }
            }
        }
    }
    assert!(asked > 80, "only {asked} texts found: are they asked for in another way now?");
    Ok(())
}
