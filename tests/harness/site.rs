//! An app's own site: it answers everything by plain HTTP on this machine, and keeps what was asked for.

use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_web::web::{self, Data};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};

/// The site, until it is dropped.
pub struct Site {
    /// Its origin.
    pub origin: String,
    kept: Arc<Mutex<Vec<String>>>,
    page: Arc<Mutex<String>>,
    handle: actix_web::dev::ServerHandle,
}

struct Shared {
    kept: Arc<Mutex<Vec<String>>>,
    page: Arc<Mutex<String>>,
}

impl Site {
    /// One on a free port. It shows `page` at `/watch`, and a sentence everywhere else.
    pub fn start() -> Self {
        let (kept, page) = (Arc::<Mutex<Vec<String>>>::default(), Arc::<Mutex<String>>::default());
        let shared = Data::new(Shared { kept: Arc::clone(&kept), page: Arc::clone(&page) });
        let (started, server) = mpsc::channel();
        std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let app = move || App::new().app_data(shared.clone()).default_service(web::to(answer));
                let server = HttpServer::new(app).workers(1).disable_signals().bind("127.0.0.1:0").unwrap();
                let port = server.addrs()[0].port();
                let running = server.run();
                started.send((port, running.handle())).unwrap();
                running.await.unwrap();
            });
        });
        let (port, handle) = server.recv().unwrap();
        Self { origin: format!("http://127.0.0.1:{port}"), kept, page, handle }
    }

    /// An address of it.
    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    /// What it shows at `/watch`.
    pub fn show(&self, html: &str) {
        html.clone_into(&mut self.page.lock().unwrap());
    }

    /// The paths with their queries that were asked for below `path`.
    pub fn asked(&self, path: &str) -> Vec<String> {
        self.kept.lock().unwrap().iter().filter(|asked| asked.starts_with(path)).cloned().collect()
    }

    /// Waits until something below `path` is asked for.
    pub async fn wait_for(&self, path: &str) -> String {
        let waiting = async {
            while self.asked(path).is_empty() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        assert!(tokio::time::timeout(Duration::from_secs(20), waiting).await.is_ok(), "{path} is asked for");
        self.asked(path).remove(0)
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        // It is told to stop; nobody waits for it.
        drop(self.handle.stop(false));
    }
}

async fn answer(shared: Data<Shared>, request: HttpRequest) -> HttpResponse {
    let asked = request.uri().path_and_query().map(ToString::to_string).unwrap_or_default();
    shared.kept.lock().unwrap().push(asked);
    let html = match request.path() {
        "/watch" => shared.page.lock().unwrap().clone(),
        _ => "<!doctype html><html lang=\"en\"><title>App</title><body data-page=\"app\"><h1>The app</h1>".to_owned(),
    };
    HttpResponse::Ok().content_type("text/html; charset=utf-8").insert_header(("cache-control", "no-store")).body(html)
}
