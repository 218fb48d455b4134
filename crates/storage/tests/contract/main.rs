#![expect(clippy::unwrap_used, unreachable_pub, reason = "tests")]
mod storage;
