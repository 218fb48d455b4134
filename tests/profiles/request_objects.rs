//! Requests as objects: unsigned, by value, and at an address.

use serde_json::{Map, Value, json};

use super::driver::{Module, Request, conformance, conformance_with, plans, random};
use super::driver_answer::Answered;
use super::dynamic_suite::unsigned;
use crate::harness::page::Page;
use crate::harness::tls;
use crate::oidc::pairwise::Lists;

/// A request whose parameters all stand in an object that nobody has signed, with what the specification has stand beside it, too.
fn of_object(request: Request) -> Request {
    let object = object(&request.pairs);
    beside(request, ("request", object))
}

/// The parameters as an object.
fn object(pairs: &[(String, String)]) -> String {
    let claims: Map<String, Value> = pairs.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
    unsigned(&claims.into())
}

/// What stands beside an object.
fn beside(request: Request, (name, object): (&str, String)) -> Request {
    let mut pairs = request.pairs.clone();
    pairs.retain(|(name, _)| ["response_type", "client_id", "scope", "redirect_uri"].contains(&name.as_str()));
    pairs.push((name.to_owned(), object));
    Request { pairs, ..request }
}

/// Takes the answer to the parameters that the object holds.
async fn answered(module: &Module<'_>, sent: &Request, meant: Request) -> Answered {
    let page: Page = module.visit(sent).await;
    module.received(meant, &module.go_on(page).await)
}

/// `oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported`
#[tokio::test]
async fn an_object_that_nobody_signed_is_the_request() {
    let server = conformance().await;
    for variant in plans() {
        let module = Module::begin(&server, variant).await;
        let meant = module.request(&[]);
        let answer = answered(&module, &of_object(meant.clone()), meant).await;
        module.finish(answer).await;
        module.end().await;
    }
}

/// `oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported`, and `oidcc-request-uri-unsigned` of the plan Dynamic
#[tokio::test]
async fn an_object_at_an_address_is_the_request() {
    let server = conformance_with(tls::trusting).await;
    for variant in plans().into_iter().filter(|variant| variant.dynamic) {
        let (state, nonce) = (random(10), random(10));
        let chosen = [("state", state.as_str()), ("nonce", nonce.as_str())];
        // The object is there before the app has its identifier.
        let anybody = Module::begin(&server, variant).await;
        let mut pairs = anybody.request(&chosen).pairs;
        pairs.retain(|(name, _)| name != "client_id");
        let site = Lists::start(&[("/request", object(&pairs))]);
        let address = format!("{}/request", site.url);
        let module = Module::begin_with(&server, variant, json!({"request_uris": [address]})).await;
        let meant = module.request(&chosen);
        let answer = answered(&module, &beside(meant.clone(), ("request_uri", address)), meant).await;
        module.finish(answer).await;
        module.end().await;
    }
}

/// `oidcc-ensure-request-object-with-redirect-uri`
#[tokio::test]
async fn the_address_in_the_object_counts_and_not_the_one_beside_it() {
    let server = conformance().await;
    for variant in plans() {
        let module = Module::begin(&server, variant).await;
        let meant = module.request(&[]);
        let mut sent = of_object(meant.clone());
        for (name, value) in &mut sent.pairs {
            if name == "redirect_uri" {
                value.push_str("/another");
            }
        }
        let answer = answered(&module, &sent, meant).await;
        module.finish(answer).await;
        module.end().await;
    }
}

/// Without the setting the three modules are skipped, because `none` is not offered, to nobody.
// "The default, if omitted, is that any algorithm supported by the OP and the RP MAY be used." (OIDC Registration §2)
#[tokio::test]
async fn without_the_setting_unsigned_objects_are_neither_offered_nor_taken() {
    let server = conformance_with(|config| config.clients.allow_unsigned_request_objects = false).await;
    let metadata = super::config::metadata(&server).await;
    let offered = metadata["request_object_signing_alg_values_supported"].as_array().unwrap();
    assert!(!offered.contains(&"none".into()) && offered.contains(&"RS256".into()), "{offered:?}");
    for variant in plans() {
        let module = Module::begin(&server, variant).await;
        let meant = module.request(&[]);
        let page = module.visit(&of_object(meant.clone())).await;
        // What is inside is not believed: the answer goes where the parameters say, and has no state.
        let meant = Request { state: None, pairs: plain(meant), ..module.request(&[]) };
        assert_eq!(Answered::receive(&module, meant, &page).error(), "invalid_request_object", "{variant:?}");
        module.end().await;
    }
}

fn plain(request: Request) -> Vec<(String, String)> {
    request.pairs.into_iter().filter(|(name, _)| name != "response_mode").collect()
}
