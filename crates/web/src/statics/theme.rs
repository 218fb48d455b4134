//! The issuer's accent colour, made readable on both grounds.

/// A colour in linear light.
type Light = [f64; 3];

const WHITE: Light = [1.0, 1.0, 1.0];
/// `--surface` of the dark scheme in `grantor.css`, the brighter of its grounds.
const DARK_SURFACE: [u8; 3] = [0x1a, 0x1d, 0x22];
/// Of text against its ground (WCAG 2.2, 1.4.3), with a little to spare.
const CONTRAST: f64 = 4.6;

/// The stylesheet for an accent such as `#0b5fff`: darkened for the light scheme and lightened for the dark one until text
/// in it can be read. `None` where the colour is not six hexadecimal digits after a `#`.
pub fn theme(accent: &str) -> Option<String> {
    let accent = parse(accent)?;
    let light = towards(accent, 0.0, |colour| contrast(linear(colour), WHITE) >= CONTRAST);
    let dark = towards(accent, 255.0, |colour| contrast(linear(colour), linear(DARK_SURFACE)) >= CONTRAST + 1.0);
    Some(format!(
        ":root{{--accent:{};--on-accent:#fff}}@media(prefers-color-scheme:dark){{:root{{--accent:{};--on-accent:#101215}}}}",
        hexadecimal(light),
        hexadecimal(dark)
    ))
}

fn parse(text: &str) -> Option<[u8; 3]> {
    let digits =
        text.strip_prefix('#').filter(|digits| digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_hexdigit()))?;
    let part = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
    Some([part(0)?, part(2)?, part(4)?])
}

fn hexadecimal([red, green, blue]: [u8; 3]) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// The first colour on the way to `end` (black or white) that is good enough.
fn towards(colour: [u8; 3], end: f64, good: impl Fn([u8; 3]) -> bool) -> [u8; 3] {
    let mix = |step: u8| {
        let share = f64::from(step) / 100.0;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a mix of two values from 0 to 255"
        )]
        colour.map(|part| (f64::from(part) * (1.0 - share) + end * share).round() as u8)
    };
    (0..=100).map(mix).find(|mixed| good(*mixed)).unwrap_or(colour)
}

fn linear(colour: [u8; 3]) -> Light {
    colour.map(|part| {
        let part = f64::from(part) / 255.0;
        if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
    })
}

fn contrast(one: Light, other: Light) -> f64 {
    let brightness = |[red, green, blue]: Light| 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    let (one, other) = (brightness(one), brightness(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colour_that_can_be_read_stays_as_it_is() {
        assert!(theme("#0b5fff").is_some_and(|css| css.starts_with(":root{--accent:#0b5fff;")));
    }

    #[test]
    fn every_colour_can_be_read_on_both_grounds() {
        for step in 0..=255_u8 {
            for colour in [[step; 3], [step, 0, 255 - step], [255, step, 0]] {
                let css = theme(&hexadecimal(colour)).unwrap_or_default();
                let accents: Vec<[u8; 3]> =
                    css.split("--accent:").skip(1).filter_map(|rest| parse(rest.get(..7)?)).collect();
                assert_eq!(accents.len(), 2);
                assert!(contrast(linear(accents[0]), WHITE) >= 4.5, "{css}");
                assert!(contrast(linear(accents[1]), linear(DARK_SURFACE)) >= 4.5, "{css}");
                assert!(contrast(linear(accents[1]), linear([0x10, 0x12, 0x15])) >= 4.5, "{css}");
            }
        }
    }

    #[test]
    fn anything_else_is_no_colour() {
        for text in ["", "red", "#fff", "#12345g", "#0b5fff}", "#ä12345"] {
            assert_eq!(theme(text), None, "{text}");
        }
    }
}
