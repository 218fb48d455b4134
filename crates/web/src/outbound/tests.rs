//! What is asked and what is not, with servers on this machine that count who comes.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use reqwest::dns::{Addrs, Name, Resolving};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use super::*;

const SHORT: Bounds = Bounds { body: 1000, connect: Duration::from_millis(500), total: Duration::from_millis(800) };
const NAME: &str = "idp.internal";

/// Names that resolve to what a test says, one answer after the other; the last one stays.
#[derive(Default)]
struct Names {
    answers: Mutex<VecDeque<Vec<IpAddr>>>,
    asked: AtomicUsize,
}

impl Names {
    fn answering(answers: &[&[&str]]) -> Arc<Self> {
        let addresses = |texts: &&[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
        Arc::new(Self { answers: Mutex::new(answers.iter().map(addresses).collect()), asked: AtomicUsize::new(0) })
    }
}

impl Resolve for Names {
    fn resolve(&self, _: Name) -> Resolving {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let mut answers = self.answers.lock().unwrap();
        let answer = if answers.len() > 1 { answers.pop_front().unwrap() } else { answers[0].clone() };
        let found = answer.into_iter().map(|address| SocketAddr::new(address, 0));
        Box::pin(std::future::ready(Ok(Box::new(found) as Addrs)))
    }
}

/// A server that counts who comes, and does `work` with them.
struct Listening {
    port: u16,
    came: Arc<AtomicUsize>,
}

impl Listening {
    fn at(address: (&str, u16), work: impl Fn(TcpStream) + Send + 'static) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let (port, came) = (listener.local_addr().unwrap().port(), Arc::new(AtomicUsize::new(0)));
        let counter = Arc::clone(&came);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                counter.fetch_add(1, Ordering::SeqCst);
                work(stream);
            }
        });
        Self { port, came }
    }

    fn came(&self) -> usize {
        self.came.load(Ordering::SeqCst)
    }
}

fn settings(allowed: &[&str]) -> OutboundSettings {
    OutboundSettings { allow_hosts: allowed.iter().map(|text| text.parse().unwrap()).collect(), authorities: None }
}

fn client(allowed: &[&str], names: Arc<dyn Resolve>) -> HttpClient {
    HttpClient::guarded_with(&settings(allowed), names, SHORT).unwrap()
}

fn get(url: &str) -> HttpRequest {
    http::Request::get(url).body(Vec::new()).unwrap()
}

async fn refusal(client: &HttpClient, url: &str) -> Refusal {
    match client.send(get(url), "somebody").await {
        Err(OutboundError::Forbidden(refusal)) => refusal,
        other => unreachable!("{url}: {other:?}"),
    }
}

#[tokio::test]
async fn no_spelling_of_this_machine_or_of_a_private_network_is_asked() {
    let trap = Listening::at(("127.0.0.1", 0), drop);
    // Some systems know a name by its dot at the end, and some do not.
    let client = client(&[], Names::answering(&[&["127.0.0.1"]]));
    for host in [
        "127.0.0.1",
        "127.0.0.1.",
        "127.1",
        "127.0.1",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "017700000001",
        "0177.0.0.1",
        "localhost",
        "localhost.",
        "LocalHost",
        "[::1]",
        "[0:0:0:0:0:0:0:1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "0.0.0.0",
        "0",
        "[::]",
        "169.254.169.254",
        "2852039166",
        "0xa9fea9fe",
        "[::ffff:169.254.169.254]",
        "[fd00:ec2::254]",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "[fe80::1]",
        "[64:ff9b::7f00:1]",
        "[64:ff9b::10.0.0.1]",
        "[64:ff9b:1::808:808]",
        "[2002:7f00:1::]",
        "[2001:0:7f00:1::]",
    ] {
        let refusal = refusal(&client, &format!("https://{host}:{}/", trap.port)).await;
        assert_eq!(refusal.reason(), "NotPublic", "{host}");
    }
    let by_the_system = HttpClient::guarded(&settings(&[])).unwrap();
    assert_eq!(refusal(&by_the_system, &format!("https://localhost:{}/", trap.port)).await.reason(), "NotPublic");
    assert_eq!(trap.came(), 0);
}

#[tokio::test]
async fn only_https_without_a_user_name_is_asked() {
    let trap = Listening::at(("127.0.0.1", 0), drop);
    // Trusted hosts are no exception.
    let client = client(&["127.0.0.0/8", "localhost"], Arc::new(System::default()));
    for url in ["http://127.0.0.1:PORT/", "http://localhost:PORT/", "http://example.com/", "ftp://example.com/"] {
        assert_eq!(refusal(&client, &url.replace("PORT", &trap.port.to_string())).await.reason(), "NotHttps", "{url}");
    }
    let with_user = format!("https://user:password@localhost:{}/", trap.port);
    assert_eq!(refusal(&client, &with_user).await.reason(), "UserInformation");
    assert_eq!(trap.came(), 0);
}

#[tokio::test]
async fn a_name_that_changes_between_two_questions_reaches_nothing() {
    let good = Listening::at(("127.0.0.2", 0), drop);
    let bad = Listening::at(("127.0.0.1", good.port), drop);
    let names = Names::answering(&[&["127.0.0.2"], &["127.0.0.1"]]);
    let client = client(&["127.0.0.2"], Arc::clone(&names) as Arc<dyn Resolve>);
    let url = format!("https://rebinding.example:{}/", good.port);
    // Nobody speaks TLS there, but the connection was made: to the address that was checked, without another question.
    assert!(matches!(client.send(get(&url), "somebody").await, Err(OutboundError::Unreachable(_))));
    assert_eq!((names.asked.load(Ordering::SeqCst), good.came()), (1, 1));
    for _ in 0..3 {
        let refusal = refusal(&client, &url).await;
        assert!(refusal.to_string().starts_with("rebinding.example is at 127.0.0.1, a loopback address"), "{refusal}");
    }
    assert_eq!((good.came(), bad.came()), (1, 0));
}

#[tokio::test]
async fn one_bad_address_among_good_ones_is_enough() {
    for answer in [["127.0.0.2", "10.0.0.1"], ["10.0.0.1", "127.0.0.2"], ["127.0.0.2", "::ffff:10.0.0.1"]] {
        let good = Listening::at(("127.0.0.2", 0), drop);
        let client = client(&["127.0.0.2"], Names::answering(&[&answer]));
        refusal(&client, &format!("https://both.example:{}/", good.port)).await;
        assert_eq!(good.came(), 0);
    }
}

/// A server that speaks TLS for [`NAME`] and answers each request with `answer`; and the authority of its certificate.
fn speaking_tls(answer: Vec<u8>) -> (Listening, Vec<u8>) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let made = rcgen::generate_simple_self_signed([NAME.to_owned()]).unwrap();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key);
    let config = Arc::new(config.unwrap());
    let work = move |mut stream: TcpStream| {
        let mut connection = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
        let mut tls = rustls::Stream::new(&mut connection, &mut stream);
        let mut read = [0; 4096];
        if tls.read(&mut read).is_ok_and(|length| length > 0) {
            // Whoever reads no more has closed.
            let _ = tls.write_all(&answer);
        }
        connection.send_close_notify();
        let _ = connection.complete_io(&mut stream);
    };
    (Listening::at(("127.0.0.2", 0), work), made.cert.pem().into_bytes())
}

fn answer(head: &str, body: &[u8]) -> Vec<u8> {
    [format!("HTTP/1.1 {head}\r\ncontent-length: {}\r\n\r\n", body.len()).as_bytes(), body].concat()
}

/// A client that trusts the host by its name, and the authority.
fn trusting(authority: &[u8]) -> HttpClient {
    let settings = OutboundSettings { authorities: Some(authority.to_owned()), ..settings(&[NAME]) };
    HttpClient::guarded_with(&settings, Names::answering(&[&["127.0.0.2"]]), SHORT).unwrap()
}

// "Whenever TLS is used, a TLS server certificate check MUST be performed, per RFC 6125 [RFC6125]." (OIDC Core §16.17)
// "Whenever TLS is used, a TLS server certificate check MUST be performed, per RFC 6125 [RFC6125]." (OIDC Discovery §7.1)
// "Whenever TLS is used, a TLS server certificate check MUST be performed, per RFC 6125 [RFC6125]." (OIDC Registration §9.3)
#[tokio::test]
async fn a_trusted_host_with_a_certificate_of_a_trusted_authority_is_asked() {
    let (server, authority) = speaking_tls(answer("200 OK", b"hello"));
    let url = format!("https://{NAME}:{}/", server.port);
    let response = trusting(&authority).send(get(&url), "somebody").await.unwrap();
    assert_eq!((response.status().as_u16(), response.body().as_slice()), (200, b"hello".as_slice()));
    let without = client(&[NAME], Names::answering(&[&["127.0.0.2"]])).send(get(&url), "somebody").await;
    assert!(
        matches!(&without, Err(OutboundError::Unreachable(reason)) if reason.contains("certificate")),
        "{without:?}"
    );
    let untrusted = OutboundSettings { authorities: Some(authority), ..settings(&[]) };
    let untrusted = HttpClient::guarded_with(&untrusted, Names::answering(&[&["127.0.0.2"]]), SHORT).unwrap();
    assert_eq!(refusal(&untrusted, &url).await.reason(), "NotPublic");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (server, authority) = speaking_tls(answer(&format!("302 Found\r\nlocation: https://{NAME}/next"), b""));
    let response =
        trusting(&authority).send(get(&format!("https://{NAME}:{}/", server.port)), "somebody").await.unwrap();
    assert_eq!((response.status().as_u16(), server.came()), (302, 1));
}

#[tokio::test]
async fn an_answer_has_a_size_and_a_time() {
    let (server, authority) = speaking_tls(answer("200 OK", &[b'x'; 1001]));
    let answered = trusting(&authority).send(get(&format!("https://{NAME}:{}/", server.port)), "somebody").await;
    assert!(matches!(answered, Err(OutboundError::TooLarge(1000))), "{answered:?}");
    let (server, authority) = speaking_tls(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf".to_vec());
    let answered = trusting(&authority).send(get(&format!("https://{NAME}:{}/", server.port)), "somebody").await;
    assert!(matches!(answered, Err(OutboundError::Unreachable(_))), "{answered:?}");
    let kept = Mutex::new(Vec::new());
    let mute = Listening::at(("127.0.0.2", 0), move |stream| kept.lock().unwrap().push(stream));
    let answered = trusting(&authority).send(get(&format!("https://{NAME}:{}/", mute.port)), "somebody").await;
    assert!(matches!(answered, Err(OutboundError::Unreachable(_))), "{answered:?}");
}

#[test]
fn authorities_that_are_none_are_an_error() {
    for pem in ["", "no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        let settings = OutboundSettings { authorities: Some(pem.into()), ..settings(&[]) };
        assert!(HttpClient::guarded(&settings).is_err(), "{pem:?}");
    }
}

#[test]
fn the_demo_speaks_plain_http_to_this_machine_only() {
    let is_asked = |url: &str| Reach::LoopbackAllowed.check(&Url::parse(url).unwrap()).is_ok();
    assert!(is_asked("http://localhost:8080/token"));
    assert!(is_asked("http://127.0.0.1:8080/token"));
    assert!(is_asked("http://[::1]/token"));
    assert!(!is_asked("http://localhost.example.com/token"));
    assert!(!is_asked("http://169.254.169.254/latest"));
    assert!(!is_asked("file:///etc/hostname"));
    assert!(is_asked("https://login.example.com/token"));
}

/// Names that nobody answers for, with the turns of those who ask.
#[derive(Default)]
struct Mute(Mutex<Vec<turns::Turn>>);

impl Resolve for Mute {
    fn resolve(&self, _: Name) -> Resolving {
        self.0.lock().unwrap().push(TURN.with(Clone::clone));
        Box::pin(std::future::pending())
    }
}

#[tokio::test]
async fn a_look_up_that_nobody_waits_for_keeps_its_turn_until_it_is_over() {
    let names = Arc::new(Mute::default());
    let client = client(&[], names.clone());
    let ask = |number: usize| {
        let client = client.clone();
        async move { client.send(get(&format!("https://{number}.example/")), "somebody").await }
    };
    for answered in futures_of(8, &ask).await {
        assert!(matches!(answered, Err(OutboundError::Unreachable(_))), "{answered:?}");
    }
    assert!(matches!(ask(9).await, Err(OutboundError::Busy)), "all of their turns are taken by look-ups");
    names.0.lock().unwrap().clear();
    assert!(matches!(ask(10).await, Err(OutboundError::Unreachable(_))));
}

#[tokio::test]
async fn webhooks_that_say_nothing_keep_nobody_from_asking_others() {
    let names = Arc::new(Mute::default());
    let client = client(&[], names.clone());
    let tell = |number: usize| {
        let client = client.clone();
        let url = format!("https://{number}.example/");
        async move {
            client.tell(get(&url), &format!("webhook {}", number / TOLD_ONE)).await.map(|_| HttpResponse::default())
        }
    };
    for told in futures_of(TOLD_AT_ONCE, &tell).await {
        assert!(matches!(told, Err(OutboundError::Unreachable(_))), "{told:?}");
    }
    assert!(matches!(tell(TOLD_AT_ONCE).await, Err(OutboundError::Busy)), "all of their turns are taken");
    let asked = client.send(get("https://idp.example/"), "upstream corp").await;
    assert!(matches!(asked, Err(OutboundError::Unreachable(_))), "somebody else has a turn: {asked:?}");
}

#[tokio::test]
async fn what_clients_publish_takes_no_turn_of_others() {
    let client = client(&[], Arc::new(Mute::default()));
    let read = |number: usize| {
        let client = client.clone();
        let url = format!("https://{number}.example/");
        async move {
            client
                .send_to_client(get(&url), (&format!("app {}", number / PUBLISHED_BY_ONE), Trust::Administrator))
                .await
        }
    };
    for read in futures_of(PUBLISHED_AT_ONCE, &read).await {
        assert!(matches!(read, Err(OutboundError::Unreachable(_))), "{read:?}");
    }
    assert!(matches!(read(PUBLISHED_AT_ONCE).await, Err(OutboundError::Busy)), "all of their turns are taken");
    let asked = client.send(get("https://idp.example/"), "upstream corp").await;
    assert!(matches!(asked, Err(OutboundError::Unreachable(_))), "somebody else has a turn: {asked:?}");
}

#[tokio::test]
async fn what_strangers_publish_takes_no_turn_of_declared_clients_and_one_of_them_not_all() {
    let client = client(&[], Arc::new(Mute::default()));
    let read = |name: String, trust: Trust| {
        let client = client.clone();
        async move { client.send_to_client(get("https://a.example/"), (name.as_str(), trust)).await }
    };
    let busy = |number: usize| read(format!("app {number}"), Trust::SelfRegistered);
    let one = |_: usize| read("app 0".to_owned(), Trust::SelfRegistered);
    futures_of(PUBLISHED_BY_ONE, &one).await;
    assert!(matches!(one(0).await, Err(OutboundError::Busy)), "one has two turns");
    let asked = busy(1).await;
    assert!(matches!(asked, Err(OutboundError::Unreachable(_))), "another stranger has a turn: {asked:?}");
    futures_of(STRANGERS_AT_ONCE, &|number| busy(number + 2)).await;
    assert!(matches!(busy(99).await, Err(OutboundError::Busy)), "all of their turns are taken");
    let asked = read("wiki".to_owned(), Trust::Administrator).await;
    assert!(matches!(asked, Err(OutboundError::Unreachable(_))), "a declared client has a turn: {asked:?}");
}

/// What so many at once come to.
async fn futures_of<F: Future<Output = Result<HttpResponse, OutboundError>> + Send + 'static>(
    number: usize,
    ask: &impl Fn(usize) -> F,
) -> Vec<F::Output> {
    let asked: Vec<_> = (0..number).map(|number| tokio::spawn(ask(number))).collect();
    let mut answered = Vec::new();
    for task in asked {
        answered.push(task.await.unwrap());
    }
    answered
}
