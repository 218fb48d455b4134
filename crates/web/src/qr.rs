//! A text as a picture that phones read: the dark squares as one path.

use std::fmt::Write;

use qrcode::{Color, EcLevel, QrCode};

/// How many squares are left free on each side.
const MARGIN: usize = 4;

/// A picture for the page, to be drawn in squares of the size 1.
#[derive(Clone)]
pub struct Qr {
    /// The dark squares, as the `d` of a path. It tells the text as the text itself does.
    path: String,
    /// How many squares it is wide and high, with its margin.
    pub size: usize,
}

impl Qr {
    /// The picture of a text; none where that is too long for one.
    pub(crate) fn of(text: &str) -> Option<Self> {
        let code = QrCode::with_error_correction_level(text.as_bytes(), EcLevel::M).ok()?;
        let width = code.width();
        let mut path = String::new();
        for (place, _) in code.to_colors().iter().enumerate().filter(|(_, color)| **color == Color::Dark) {
            let (x, y) = (place % width + MARGIN, place / width + MARGIN);
            // Writing to a text does not fail.
            let _ = write!(path, "M{x} {y}h1v1h-1z");
        }
        Some(Self { path, size: width + 2 * MARGIN })
    }

    /// The dark squares, for the one place that needs them.
    pub fn expose(&self) -> &str {
        &self.path
    }
}

impl std::fmt::Debug for Qr {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Qr([redacted])")
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_picture_has_the_three_corners_and_a_margin() {
        let qr = Qr::of("otpauth://totp/Grantor:ada?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ").unwrap();
        let last = qr.size - MARGIN - 1;
        for (x, y) in [(MARGIN, MARGIN), (last, MARGIN), (MARGIN, last)] {
            assert!(qr.expose().contains(&format!("M{x} {y}h1v1h-1z")), "{x} {y}");
        }
        assert!(!qr.expose().contains("M3 ") && !qr.expose().contains(&format!("M{} ", last + 1)));
        assert!(Qr::of(&"x".repeat(5_000)).is_none());
    }
}
