//! Another system that is told of events: takes messages by https on this machine, and keeps them.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_web::web::{self, Bytes, Data};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use grantor_server::config::outgoing::Webhook;
use grantor_server::config::{Config, Hidden};
use rcgen::generate_simple_self_signed;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use super::folder::Folder;

/// The secret of every webhook of the stories.
pub const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// What comes with 400.
const REFUSAL: &str = r#"{"error":"invalid_request","error_description":"no such session"}"#;

/// A message as it arrived.
#[derive(Clone, Debug)]
pub struct Message {
    /// Its headers.
    pub headers: HashMap<String, String>,
    /// Its body, as it was sent.
    pub body: String,
    /// The query of the address that it was sent to.
    pub query: String,
}

/// What has arrived, and what is answered next.
#[derive(Debug, Default)]
struct Kept {
    messages: Vec<Message>,
    /// What is answered to the next messages: a status, or nothing at all where it is 0.
    answers: Vec<u16>,
}

/// The other system, until it is dropped.
pub struct Receiver {
    /// Where it is told.
    pub url: String,
    kept: Arc<Mutex<Kept>>,
    handle: actix_web::dev::ServerHandle,
    folder: Folder,
}

impl Receiver {
    /// One on a free port.
    pub fn start() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let made = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let folder = Folder::new();
        std::fs::write(folder.join("ca.pem"), made.cert.pem()).unwrap();
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
        let tls = rustls::ServerConfig::builder().with_no_client_auth();
        let tls = tls.with_single_cert(vec![made.cert.der().clone()], key).unwrap();
        let kept = Arc::<Mutex<Kept>>::default();
        let shared = Data::from(Arc::clone(&kept));
        let (started, server) = mpsc::channel();
        std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let app = move || App::new().app_data(shared.clone()).route("/hook", web::post().to(take));
                let server = HttpServer::new(app).workers(1).disable_signals();
                let server = server.bind_rustls_0_23("127.0.0.1:0", tls).unwrap();
                let port = server.addrs()[0].port();
                let running = server.run();
                started.send((port, running.handle())).unwrap();
                running.await.unwrap();
            });
        });
        let (port, handle) = server.recv().unwrap();
        Self { url: format!("https://localhost:{port}/hook"), kept, handle, folder }
    }

    /// The settings of a server that tells it of these events, and trusts it.
    pub fn configure(&self, events: &'static [&'static str]) -> impl FnOnce(&mut Config) + use<> {
        let (webhook, authority) = (self.webhook(events), self.authority());
        move |config| {
            config.webhooks = vec![webhook];
            config.outbound.allow_hosts = vec!["localhost".parse().unwrap()];
            config.outbound.ca_file = Some(authority);
        }
    }

    /// The settings of a server that trusts it, and tells it of no events.
    pub fn trusted(&self) -> impl FnOnce(&mut Config) + use<> {
        let authority = self.authority();
        move |config| {
            config.outbound.allow_hosts = vec!["localhost".parse().unwrap()];
            config.outbound.ca_file = Some(authority);
        }
    }

    /// The same of a server that trusts another one, too.
    pub fn trusted_with(&self, other: &Self) -> impl FnOnce(&mut Config) + use<> {
        let (trusted, both) = (self.trusted(), self.folder.join("both.pem"));
        let of = |receiver: &Self| std::fs::read_to_string(receiver.authority()).unwrap();
        std::fs::write(&both, of(self) + &of(other)).unwrap();
        move |config| {
            trusted(config);
            config.outbound.ca_file = Some(both);
        }
    }

    /// The webhook alone.
    pub fn webhook(&self, events: &[&str]) -> Webhook {
        Webhook {
            name: "siem".to_owned(),
            url: self.url.clone(),
            secret: Some(Hidden::new(SECRET)),
            secret_file: None,
            events: events.iter().map(|event| (*event).to_owned()).collect(),
        }
    }

    /// The authority of its certificate.
    pub fn authority(&self) -> PathBuf {
        self.folder.join("ca.pem")
    }

    /// What it answers to the next messages; 0 is no answer at all, and 202 comes with two megabytes of text. After them it takes everything.
    pub fn answer(&self, statuses: &[u16]) {
        self.kept.lock().unwrap().answers = statuses.to_vec();
    }

    /// What has arrived so far, taken or not.
    pub fn messages(&self) -> Vec<Message> {
        self.kept.lock().unwrap().messages.clone()
    }

    /// Waits for so many messages in all; they come from the background.
    pub async fn wait_for(&self, how_many: usize) -> Vec<Message> {
        let waiting = async {
            while self.messages().len() < how_many {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let arrived = tokio::time::timeout(Duration::from_secs(30), waiting).await;
        assert!(arrived.is_ok(), "{how_many} messages arrive: {:?}", self.messages());
        self.messages()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        // It is told to stop; nobody waits for it.
        drop(self.handle.stop(false));
    }
}

async fn take(kept: Data<Mutex<Kept>>, request: HttpRequest, body: Bytes) -> HttpResponse {
    let header = |(name, value): (&http_name::Name, &http_name::Value)| {
        (name.as_str().to_owned(), value.to_str().unwrap_or_default().to_owned())
    };
    let message = Message {
        headers: request.headers().iter().map(header).collect(),
        body: String::from_utf8(body.to_vec()).unwrap(),
        query: request.query_string().to_owned(),
    };
    let answer = {
        let mut kept = kept.lock().unwrap();
        kept.messages.push(message);
        if kept.answers.is_empty() { 204 } else { kept.answers.remove(0) }
    };
    match answer {
        0 => std::future::pending().await,
        // As an app that refuses to sign somebody out says it.
        400 => HttpResponse::BadRequest().content_type("application/json").body(REFUSAL),
        // More than anybody reads.
        202 => HttpResponse::Accepted().body(vec![b'x'; 2 << 20]),
        status => HttpResponse::build(actix_web::http::StatusCode::from_u16(status).unwrap()).finish(),
    }
}

mod http_name {
    pub use actix_web::http::header::{HeaderName as Name, HeaderValue as Value};
}
