//! Whether the process lives, and whether it can answer.

use actix_web::HttpResponse;
use actix_web::web::Data;
use grantor_core::access_token::ALGORITHM;
use grantor_core::store::Store;
use grantor_jose::id::Id;

use crate::app::App;

/// 200 as long as the process answers at all.
pub(crate) async fn get_livez() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain").body("ok\n")
}

/// 200 when the database answers and a key signs; 503 with what is missing otherwise.
pub(crate) async fn get_readyz(app: Data<App>) -> HttpResponse {
    let missing = |what: &'static str| HttpResponse::ServiceUnavailable().content_type("text/plain").body(what);
    if app.is_draining() {
        return missing("the server is about to stop\n");
    }
    if app.provider.store.user_find(Id::from_i64(0)).await.is_err() {
        return missing("the database does not answer\n");
    }
    if app.directory().keys.signer(ALGORITHM, app.clock.now()).is_none() {
        return missing("no signing key is active\n");
    }
    HttpResponse::Ok().content_type("text/plain").body("ready\n")
}
