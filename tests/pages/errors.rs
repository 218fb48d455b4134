//! Errors: what happened, what to do, and a number under which the reason is found.

use grantor_jose::id::Id;
use grantor_storage::EventFilter;

use crate::harness::app::App;
use crate::harness::page::Page;
use crate::harness::person::Person;
use crate::harness::server::Server;

/// The reason that is kept under the page's case number.
async fn reason(server: &Server, page: &Page) -> String {
    let text = page.text();
    let (_, after) = text.split_once("Case number ").unwrap_or_else(|| panic!("a case number in {text}"));
    let id: Id = after.split(' ').next().unwrap().parse().unwrap();
    let events = server.database.events(&EventFilter { id: Some(id), ..EventFilter::default() }).await.unwrap();
    assert_eq!(events.len(), 1);
    events[0].reason.clone().unwrap()
}

#[tokio::test]
async fn the_case_number_of_a_refusal_leads_to_its_reason() {
    let server = Server::start().await;
    let wiki = App::new(&server, "wiki");
    for (changes, name) in [
        ([("client_id", "")], "ParameterMissing"),
        ([("client_id", "nobody")], "ClientUnknown"),
        ([("redirect_uri", "https://evil.example/cb")], "RedirectUriMismatch"),
    ] {
        let page = Person::new(&server).open(wiki.authorize_url("openid", &changes)).await;
        assert_eq!((page.status.as_u16(), page.name().as_str()), (400, "error"), "{}", page.text());
        assert_eq!(reason(&server, &page).await, name);
    }
}

#[tokio::test]
async fn a_wrong_address_is_shown_beside_the_registered_one() {
    let server = Server::start().await;
    let wiki = App::new(&server, "wiki");
    let url = wiki.authorize_url("openid", &[("redirect_uri", "https://wiki.example/cb/")]);
    let page = Person::new(&server).open(url).await;
    for words in [
        "This app gave us a wrong address",
        "You came here from Wiki",
        "Only the slash at the end differs.",
        "Received https://wiki.example/cb /",
        "Registered https://wiki.example/cb",
        "RFC 6749 §3.1.2.3",
    ] {
        assert!(page.text().contains(words), "{words} in {}", page.text());
    }
    assert!(page.has("details.developer:not([open])"));
}

#[tokio::test]
async fn a_page_that_is_not_there_says_so() {
    let server = Server::start().await;
    let page = Person::new(&server).open("/wp-admin/setup.php").await;
    assert_eq!((page.status.as_u16(), page.name().as_str()), (404, "not-found"));
    assert!(page.text().contains("There is nothing at this address."), "{}", page.text());
    assert!(page.has(r#"a[href="/account"]"#));
}

#[tokio::test]
async fn a_request_that_is_altered_on_its_way_is_refused() {
    let server = Server::start().await;
    let (wiki, person) = (App::new(&server, "wiki"), Person::new(&server));
    let page = person.open(wiki.authorize_url("openid", &[])).await;
    let url = page.url.to_string();
    let altered = format!("{}{}", &url[..url.len() - 2], if url.ends_with("AA") { "BB" } else { "AA" });
    let page = person.open(altered).await;
    assert_eq!((page.status.as_u16(), page.name().as_str()), (400, "error"));
    assert_eq!(reason(&server, &page).await, "InteractionExpired");
}
