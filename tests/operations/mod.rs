//! What whoever runs a server does beside it: copy it, put it back, move it.

mod backup;
mod credentials;
mod doctor;
mod epoch;
mod events;
mod migrate;
mod restore;
