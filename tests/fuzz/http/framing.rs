//! A request as bytes: as it should be, with strange headers, left unfinished, or broken.

use super::pocket::Pocket;
use super::target::Target;
use crate::fuzz::mutation::{self, Grammar};
use crate::harness::dice::Dice;

/// A request as bytes.
pub struct Request {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// What may be expected of it.
    pub form: Form,
    /// Whether its answer has no body.
    pub is_head: bool,
    /// Whether the connection ends with it.
    pub is_last: bool,
}

/// What may be expected of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Whole: it must be answered.
    Whole,
    /// Its end is missing: the server must give up.
    Unfinished,
    /// Nobody knows where it ends.
    Broken,
}

/// Headers that mean something to somebody; none of them takes the end of the request from where it is.
const HEADERS: [&str; 35] = [
    "Expect: 100-continue",
    "Expect: 200-maybe",
    "Range: bytes=0-10,-5",
    "If-None-Match: \"x\", *",
    "If-Modified-Since: Thu, 01 Jan 1970 00:00:00 GMT",
    "Accept: application/json;q=x, */*",
    "Accept-Encoding: gzip, br;q=0, identity;q=0",
    "Accept-Language: de-CH, en;q=NaN",
    "Accept-Language: \u{fc}",
    "Origin: null",
    "Origin: https://board.example",
    "Origin: https://evil.example",
    "Sec-Fetch-Site: cross-site",
    "Sec-Fetch-Site: same-origin",
    "Access-Control-Request-Method: POST",
    "Access-Control-Request-Headers: authorization, x",
    "X-Forwarded-For: 203.0.113.7, [2001:db8::1]:1, unknown",
    "X-Forwarded-For: ,,,",
    "X-Forwarded-Proto: https",
    "X-Forwarded-Host: evil.example",
    "Forwarded: for=1.2.3.4;proto=https;host=evil.example",
    "X-HTTP-Method-Override: DELETE",
    "User-Agent: Mozilla/5.0 \u{1b}[31m \u{202e} (iPhone) Firefox/1",
    "User-Agent:",
    "Cookie: grantor_session=gtr_se_0BxVq7aY2Lk.x; grantor_session=y",
    "Cookie: grantor_others=gtr_se_0BxVq7aY2Lk.x~~gtr_se_0BxVq7aY2Lk.y~",
    "Cookie: =; ;; grantor_visit",
    "DPoP: e30.e30.x",
    "Referer: https://evil.example/?code=x",
    "TE: trailers",
    "Trailer: X-Last",
    "Via: 1.1 x",
    "Max-Forwards: 0",
    "Content-Encoding: gzip",
    "X-\u{e9}: \u{0}",
];

const CONTENT_TYPES: [&str; 8] = [
    "application/x-www-form-urlencoded",
    "application/x-www-form-urlencoded; charset=UTF-8",
    "application/x-www-form-urlencoded;charset=utf-16",
    "APPLICATION/X-WWW-FORM-URLENCODED",
    "application/json",
    "multipart/form-data; boundary=x",
    "text/plain; \u{fc}",
    "",
];

/// Writes a request.
pub fn write(target: &Target, pocket: &Pocket, host: &str, dice: &mut Dice) -> Request {
    let question = if target.query.is_empty() { "" } else { "?" };
    let (version, is_last) = if dice.one_in(40) { ("1.0", true) } else { ("1.1", dice.one_in(20)) };
    let mut head = format!("{} {}{question}{} HTTP/{version}\r\n", target.method, target.path, target.query);
    head.push_str(&host_lines(host, dice));
    if is_last {
        head.push_str("Connection: close\r\n");
    }
    head.push_str(&cookies(pocket, dice));
    if let Some(authorization) = &target.authorization {
        head.extend(["Authorization: ", authorization, "\r\n"]);
    }
    for (name, value) in &target.headers {
        head.extend([name, ": ", value, "\r\n"]);
    }
    for _ in 0..if dice.one_in(3) { dice.small(5) } else { 0 } {
        head.push_str(dice.pick(&HEADERS));
        head.push_str("\r\n");
    }
    let body = if target.method == "POST" || dice.one_in(20) { Some(body(target, &mut head, dice)) } else { None };
    let mut bytes = head.into_bytes();
    bytes.extend_from_slice(&frame(&body.unwrap_or_default(), dice));
    let request = Request { bytes, form: Form::Whole, is_head: target.method == "HEAD", is_last };
    match dice.roll(40) {
        0 => unfinished(request, dice),
        1 | 2 => broken(request, host, dice),
        _ => request,
    }
}

fn host_lines(host: &str, dice: &mut Dice) -> String {
    match dice.roll(120) {
        0 => String::new(),
        1 => "Host: evil.example\r\n".to_owned(),
        2 => format!("Host: {host}\r\nHost: evil.example\r\n"),
        3 => dice
            .pick(&["Host:\r\n", "Host: \u{fc}:x\r\n", "Host: a b\r\n", "host:a@b:1\r\n", "Host: [::1\r\n"])
            .to_owned(),
        _ => format!("Host: {host}\r\n"),
    }
}

fn cookies(pocket: &Pocket, dice: &mut Dice) -> String {
    let mut pairs: Vec<String> = pocket.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
    match dice.roll(60) {
        0 => return String::new(),
        1 => pairs.reverse(),
        2 => pairs.truncate(1),
        3 => pairs.push("grantor_language=\u{fc}".to_owned()),
        4 => return format!("Cookie: {}\r\n", changed(pairs.join("; "), dice)),
        _ => {}
    }
    format!("Cookie: {}\r\n", pairs.join("; "))
}

fn changed(text: String, dice: &mut Dice) -> String {
    let examples = [text.into_bytes()];
    let grammar =
        Grammar { examples: &examples, words: &["; ", "=", "grantor_session="], brackets: &[], longest: 10_000 };
    String::from_utf8_lossy(&mutation::input(grammar, dice.number())).replace(['\r', '\n'], "-")
}

/// The body of a request, and its line of header.
fn body(target: &Target, head: &mut String, dice: &mut Dice) -> Vec<u8> {
    if let Some(json) = target.json.as_ref().filter(|_| !dice.one_in(12)) {
        head.push_str("Content-Type: application/json\r\n");
        return if dice.one_in(6) { changed(json.clone(), dice) } else { json.clone() }.into_bytes();
    }
    let content_type = CONTENT_TYPES[if dice.one_in(12) { dice.roll(CONTENT_TYPES.len()) } else { dice.roll(2) }];
    head.extend(["Content-Type: ", content_type, "\r\n"]);
    let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&target.form).finish();
    match dice.roll(20) {
        0 => serde_json::to_vec(&target.form).unwrap(),
        1 => (0..dice.small(3_000)).map(|_| dice.byte()).collect(),
        2 => format!("{form}&{}", "a=b&".repeat(dice.roll(200))).into_bytes(),
        3 => format!("{form}&x={}", "%00".repeat(dice.small(30_000))).into_bytes(),
        4 => changed(form, dice).into_bytes(),
        _ => form.into_bytes(),
    }
}

/// The lines that tell the length, the end of the head, and the body.
fn frame(body: &[u8], dice: &mut Dice) -> Vec<u8> {
    if !dice.one_in(6) {
        return [format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes(), body].concat();
    }
    let mut framed = b"Transfer-Encoding: chunked\r\n\r\n".to_vec();
    for chunk in body.chunks(dice.small(500) + 1) {
        let extension = if dice.one_in(10) { ";a=\"b\"" } else { "" };
        framed.extend_from_slice(format!("{:X}{extension}\r\n", chunk.len()).as_bytes());
        framed.extend_from_slice(chunk);
        framed.extend_from_slice(b"\r\n");
    }
    framed.extend_from_slice(b"0\r\n\r\n");
    framed
}

/// The same without its end, or with a length that is never reached.
fn unfinished(request: Request, dice: &mut Dice) -> Request {
    let mut bytes = request.bytes;
    if dice.one_in(2) {
        bytes.truncate(dice.roll(bytes.len()));
    } else {
        let text = String::from_utf8_lossy(&bytes).replacen("Content-Length: ", "Content-Length: 9", 1);
        bytes = text.into_bytes();
        bytes.pop();
    }
    Request { bytes, form: Form::Unfinished, is_last: true, ..request }
}

/// Something that only looks like it.
fn broken(request: Request, host: &str, dice: &mut Dice) -> Request {
    let post = |lines: &str| format!("POST /token HTTP/1.1\r\nHost: {host}\r\n{lines}\r\n");
    let text = String::from_utf8_lossy(&request.bytes).into_owned();
    let bytes = match dice.roll(20) {
        0 => post("Content-Length: 5\r\nContent-Length: 6\r\n") + "a=b&c=d",
        1 => post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n") + "0\r\n\r\nGET / HTTP/1.1\r\n\r\n",
        2 => post("Content-Length: -1\r\n"),
        3 => post("Content-Length: +5\r\n") + "a=b&c",
        4 => {
            post("Transfer-Encoding: chunked\r\n")
                + dice.pick(&["zz\r\n", "-1\r\n", "FFFFFFFFFFFFFFFFF\r\n", "5\r\nabc", "1\na\n0\n\n", "\r\n"])
        }
        5 => post("Transfer-Encoding: gzip, chunked\r\n") + "0\r\n\r\n",
        6 => post("Transfer-Encoding: x\r\n"),
        7 => text.replace("\r\n", "\n"),
        8 => text.replacen("HTTP/1.1", dice.pick(&["HTTP/2.0", "HTTP/9.9", "HTTP/0.9", "HTTP", ""]), 1),
        9 => text.replacen(' ', dice.pick(&["  ", "\t", "", "\u{0}"]), 1),
        10 => text.replacen("\r\n", &format!("\r\nX-Large: {}\r\n", "a".repeat(dice.small(140_000))), 1),
        11 => text.replacen("\r\n", &format!("\r\n{}", "X-Many: a\r\n".repeat(dice.small(300))), 1),
        12 => text.replacen(
            "\r\n",
            dice.pick(&["\r\n folded: x\r\n", "\r\nno colon\r\n", "\r\n: x\r\n", "\r\na b: x\r\n", "\r\n\r\n"]),
            1,
        ),
        13 => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\u{0}\u{0}\u{0}\u{4}\u{0}".to_owned(),
        14 => "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\u{0}\u{1}".to_owned(),
        15 => format!("CONNECT {host} HTTP/1.1\r\nHost: {host}\r\n\r\nx"),
        16 => text.replacen("\r\n", "\r\nConnection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n", 1),
        17 => text.replacen(
            "\r\n",
            "\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n",
            1,
        ),
        18 => text.replacen(" /", &format!(" http://{host}/"), 1),
        _ => {
            let examples = [request.bytes];
            let grammar = Grammar {
                examples: &examples,
                words: &["\r\n", ": ", " HTTP/1.1\r\n", "\r\n\r\n"],
                brackets: &[],
                longest: 100_000,
            };
            return Request {
                bytes: mutation::input(grammar, dice.number()),
                form: Form::Broken,
                is_head: false,
                is_last: true,
            };
        }
    };
    Request { bytes: bytes.into_bytes(), form: Form::Broken, is_head: false, is_last: true }
}
