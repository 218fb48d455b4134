//! The test plans of the OpenID Foundation's conformance suite, module by module: what each sends, and what has to come of it. The
//! tables beside these files say which story shows which module.

mod dynamic;
mod dynamic_documents;
mod dynamic_registration;
mod dynamic_tokens;
mod logout;
mod logout_channels;
mod suite;
