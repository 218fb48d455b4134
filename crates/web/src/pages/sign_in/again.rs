//! The page of a sign-in once more, in another language: what waits for the sign-in is still there.

use url::form_urlencoded::Serializer;

use super::Opened;
use crate::pages::Frame;
use crate::visit::Visit;

impl Opened {
    /// The frame of the page at this path. Its choice of languages leads to the page itself, also where that answers a form that was
    /// posted; there is none where the app has named a language.
    pub(in crate::pages) fn frame(&self, visit: &Visit, path: &str) -> Frame {
        let ui_locales = self.request().and_then(|request| request.ui_locales.as_deref());
        let return_to = ui_locales.is_none().then(|| self.address(path));
        Frame { account: None, return_to, ..visit.frame(ui_locales, None) }
    }

    fn address(&self, path: &str) -> String {
        let carried = self.carried();
        // Whom a form signs out is read anew.
        let kept = carried.iter().filter(|(name, value)| *name != "over" && !value.is_empty());
        let query = Serializer::new(String::new()).extend_pairs(kept).finish();
        if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
    }
}
