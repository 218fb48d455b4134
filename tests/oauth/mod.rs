//! OAuth 2.0 over HTTP, in the order of the specifications.

mod main_path;
