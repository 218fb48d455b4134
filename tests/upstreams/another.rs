//! Another Grantor as upstream, over HTTPS as in the world.

use crate::harness::page::Page;
use crate::harness::person::Person;
use crate::harness::seeds::{ALICE, ALICE_PASSWORD, SECRET};
use crate::harness::server::Server;
use crate::harness::tls;

use super::fake::sent;
use super::{start, start_on};

/// The server that people sign in to, and the one that they come from.
async fn two(more: &str) -> (Server, Server) {
    let upstream = Server::start_with(tls::speaking).await;
    let server = Server::start_with(|config| {
        tls::trusting(config);
        tls::speaking(config);
    })
    .await;
    let callback = format!("{}/upstreams/corp/callback", server.url);
    upstream
        .apply(&format!(
            "[[clients]]\nclient_id = \"below\"\nclient_secret = \"{SECRET}\"\nclient_name = \"Below\"\nredirect_uris = [\"{callback}\"]\n\
             scope = \"openid profile email groups\"\nrequire_auth_time = true\n"
        ))
        .await;
    server
        .apply(&format!(
            "[[upstreams]]\nname = \"corp\"\ndisplay_name = \"Corp\"\nkind = \"oidc\"\nissuer = \"{}\"\nclient_id = \"below\"\n\
             client_secret = \"{SECRET}\"\nscope = \"openid profile email groups\"\n{more}\n",
            upstream.url
        ))
        .await;
    (server, upstream)
}

/// Alice signs in at the upstream, and comes back.
async fn through(there: &Person, here: &Person, page: &Page) -> Page {
    let answer = there.approve(there.open(sent(page)).await).await;
    here.open(answer.location().unwrap_or_else(|| panic!("{}", answer.body))).await
}

#[tokio::test]
async fn a_person_of_another_grantor_proves_the_account_here_once_and_comes_in() {
    let (server, upstream) =
        two("allowed_groups = [\"engineering\"]\nallowed_domains = [\"example.com\"]\ncreate_accounts = true").await;
    let (here, there) = (Person::new(&server), Person::new(&upstream));
    let page = through(&there, &here, &start(&here).await).await;
    assert_eq!(page.name(), "upstream-unlinked", "the address is that of an account with a password: {}", page.body);
    let page = here.open(page.attribute("a#prove", "href").unwrap()).await;
    let page = here.sign_in_on(&page, ALICE, ALICE_PASSWORD).await;
    let page = here.send(&page.form(r#"form[action="/upstreams/corp/link"]"#).with("decision", "link")).await;
    assert_eq!(page.name(), "account", "{}", page.body);
    let again = Person::new(&server);
    assert_eq!(through(&there, &again, &start(&again).await).await.name(), "account");
}

#[tokio::test]
async fn who_must_sign_in_again_is_asked_for_the_password_there() {
    let (server, upstream) = two("").await;
    let (here, there) = (Person::new(&server), Person::new(&upstream));
    there.sign_in().await;
    upstream.clock.advance(std::time::Duration::from_mins(5));
    server.clock.advance(std::time::Duration::from_mins(5));
    let app = crate::harness::app::App::new(&server, "wiki");
    let page = here.open(app.authorize_url("openid", &[("prompt", "login")])).await;
    let on_the_way = start_on(&here, &page, "corp").await;
    assert_eq!(there.open(sent(&on_the_way)).await.name(), "sign-in");
    let page = through(&there, &here, &on_the_way).await;
    assert_eq!(page.name(), "upstream-unlinked", "{}", page.body);
}

#[tokio::test]
async fn a_person_who_says_no_there_is_told_so_here() {
    let (server, upstream) = two("").await;
    let (here, there) = (Person::new(&server), Person::new(&upstream));
    let page = there.open(sent(&start(&here).await)).await;
    let page = there.sign_in_on(&page, ALICE, ALICE_PASSWORD).await;
    let answer = there.send(&page.form(r#"form[action="/consent"]"#).with("decision", "deny")).await;
    let page = here.open(answer.location().unwrap()).await;
    assert_eq!((page.name(), server.reason().await), ("upstream-failed".to_owned(), "UpstreamDenied".to_owned()));
}
