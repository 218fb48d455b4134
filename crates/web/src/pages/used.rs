//! What an app or a token was used for lately, told under what it may do.

/// The newest networks and the APIs of the last [`LATELY`] days.
#[derive(Clone, Debug, Default)]
pub struct Used {
    /// The names of the APIs.
    pub apis: Vec<String>,
    /// How often.
    pub count: usize,
    /// Whether of all these days: fewer may be kept.
    pub is_whole: bool,
    /// The networks, the last used first.
    pub networks: Vec<String>,
}

/// So many days are counted.
pub const LATELY: i64 = 30;

/// So many networks are named.
pub const NAMED: usize = 6;

/// One thing an app or a token may do.
#[derive(Clone, Debug)]
pub struct Granted {
    /// When it was last used, in seconds, where that is known.
    pub last_used: Option<i64>,
    /// What it allows: "See your name and picture".
    pub sentence: String,
}

impl Used {
    pub(super) fn count_key(&self) -> &'static str {
        if self.is_whole { "used-count" } else { "used-count-lately" }
    }

    pub(super) fn apis(&self) -> String {
        self.apis.join(" · ")
    }

    pub(super) fn networks(&self) -> String {
        self.networks.join(" · ")
    }
}

#[cfg(test)]
impl Used {
    pub(super) fn sample(text: &str, count: usize) -> Self {
        let networks = ["192.0.2.0/24", "2001:db8:1::/48", text].map(str::to_owned);
        Self {
            apis: vec!["Notes".to_owned(), text.to_owned()],
            count,
            is_whole: count % 2 == 1,
            networks: networks.into(),
        }
    }
}
