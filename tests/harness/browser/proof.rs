//! The browser itself, on pages made up here: what it says can be relied on, and can be bad news.

use std::time::Duration;

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};

use super::Browser;

/// A page that keeps every rule, under as strict a policy as ours.
const GOOD: &str = r#"<!doctype html><html lang="en"><head><title>Good</title><style>
    body { color: #000; background: #fff } input, button { min-height: 24px }
    @media (prefers-color-scheme: dark) { body { color: #222; background: #333 } }</style></head>
    <body data-page="good"><main><h1>Good</h1><p>Readable by day, hardly by night.</p></main></body></html>"#;

const BAD: &str = r#"<!doctype html><html><head><title>Bad</title></head>
    <body data-page="bad"><main><h1>Bad</h1><img src="data:,"><input name="nameless"></main></body></html>"#;

const FORM: &str = r#"<!doctype html><html lang="en"><head><title>Form</title></head>
    <body data-page="form"><main><h1>Form</h1><form action="/sent"><label>Name <input id="name" name="name"></label>
    <label><input type="checkbox" name="a" value="yes">A</label><label><input type="checkbox" name="b" value="yes" checked>B</label>
    <button id="send">Send</button></form></main></body></html>"#;

const SCRIPT: &str = r#"<!doctype html><html lang="en"><head><title>Script</title></head>
    <body data-page="plain"><script>document.body.dataset.page = "script"</script><p id="p">Text</p></body></html>"#;

/// Answers requests for as long as the tests run; also a browser that opens a connection in advance keeps no other waiting.
fn pages() -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            std::thread::spawn(move || answer(connection));
        }
    });
    address
}

fn answer(mut connection: TcpStream) {
    let head: Vec<String> =
        BufReader::new(&connection).lines().map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
    let target = head.first().and_then(|line| line.split(' ').nth(1)).unwrap_or_default();
    let (page, policy) = match target {
        "/good" => (GOOD.to_owned(), "default-src 'none'; style-src 'unsafe-inline'"),
        "/bad" => (BAD.to_owned(), "default-src 'none'"),
        "/form" => (FORM.to_owned(), "default-src 'none'; form-action 'self'"),
        "/script" => (SCRIPT.to_owned(), "script-src 'unsafe-inline'"),
        _ => (format!("<!doctype html><title>Echo</title><pre>{}</pre>", head.join("\n")), "default-src 'none'"),
    };
    let _ = write!(
        connection,
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\nContent-Security-Policy: {policy}\r\nConnection: close\r\n\r\n{page}",
        page.len()
    );
}

#[tokio::test]
async fn axe_says_what_is_wrong_and_only_that() {
    let Some(browser) = Browser::setup().start().await else { return };
    let site = pages();
    browser.open(&format!("{site}/bad")).await;
    let found: Vec<String> = browser.axe().await.into_iter().map(|violation| violation.id).collect();
    assert_eq!(found, ["html-has-lang", "image-alt", "label"]);
    browser.open(&format!("{site}/good")).await;
    assert_eq!(browser.axe().await, []);
}

#[tokio::test]
async fn dark_and_light_are_two_pages_to_axe() {
    let Some(browser) = Browser::setup().start().await else { return };
    let site = pages();
    browser.dark().await;
    browser.open(&format!("{site}/good")).await;
    let found = browser.axe().await;
    assert!(format!("{found:?}").starts_with("[color-contrast (serious)"), "{found:?}");
    browser.light().await;
    assert_eq!(browser.axe().await, []);
}

#[tokio::test]
async fn a_form_is_filled_and_sent() {
    let Some(browser) = Browser::setup().start().await else { return };
    browser.open(&format!("{}/form", pages())).await;
    assert_eq!(browser.page().await, "form");
    browser.fill("name", "wrong").await;
    browser.fill("name", "Ada").await;
    browser.tick("[name=a]").await;
    browser.untick("[name=b]").await;
    browser.click("send").await;
    browser.waits_for("pre").await;
    assert_eq!(browser.url().await.query(), Some("name=Ada&a=yes"));
    assert!(browser.text().await.contains("GET /sent?name=Ada&a=yes"));
}

#[tokio::test]
async fn the_keyboard_is_enough() {
    let Some(browser) = Browser::setup().start().await else { return };
    browser.open(&format!("{}/form", pages())).await;
    browser.tab().await;
    assert_eq!(browser.focus().await, "name");
    browser.type_text("Ada").await;
    browser.tab().await;
    browser.space().await;
    browser.tab().await;
    browser.tab().await;
    assert_eq!(browser.focus().await, "send");
    browser.enter().await;
    assert_eq!(browser.url().await.query(), Some("name=Ada&a=yes&b=yes"));
}

#[tokio::test]
async fn scripts_can_be_off() {
    let site = pages();
    for (setup, expected) in [(Browser::setup(), "script"), (Browser::setup().without_scripts(), "plain")] {
        let Some(browser) = setup.start().await else { return };
        browser.open(&format!("{site}/script")).await;
        assert_eq!(browser.page().await, expected);
        assert!(browser.has("#p").await && !browser.has("#q").await);
    }
}

#[tokio::test]
async fn the_language_is_asked_for() {
    let Some(browser) = Browser::setup().language("de").start().await else { return };
    browser.open(&pages()).await;
    let asked = browser.text().await.to_lowercase();
    assert!(asked.contains("accept-language: de"), "{asked}");
}

#[tokio::test]
async fn a_picture_shows_the_whole_page_at_its_width() {
    let Some(browser) = Browser::setup().start().await else { return };
    browser.open(&format!("{}/form", pages())).await;
    browser.size(360, 640).await;
    assert_eq!(browser.attribute("html", "lang").await.as_deref(), Some("en"));
    let picture = std::fs::read(browser.screenshot("harness/form").await).unwrap();
    assert_eq!(picture[..8], *b"\x89PNG\r\n\x1a\n");
    assert_eq!((&picture[16..20], &picture[20..24]), (&360_u32.to_be_bytes()[..], &640_u32.to_be_bytes()[..]));
}

#[tokio::test]
async fn a_browser_leaves_nothing_behind() {
    let Some(browser) = Browser::setup().start().await else { return };
    browser.open(&pages()).await;
    let profile = browser.profile.clone();
    assert!(profile.exists());
    assert_ne!(processes_with(&profile.display().to_string()), 0);
    drop(browser);
    assert!(!profile.exists());
    // The system takes its moment to end what was killed.
    let ended = async {
        while processes_with(&profile.display().to_string()) > 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), ended).await.expect("the browser's processes end");
}

/// How many processes have this in their command line.
fn processes_with(text: &str) -> usize {
    let folders = std::fs::read_dir("/proc").unwrap().flatten();
    let command_lines = folders.filter_map(|folder| std::fs::read(folder.path().join("cmdline")).ok());
    command_lines.filter(|line| String::from_utf8_lossy(line).contains(text)).count()
}
