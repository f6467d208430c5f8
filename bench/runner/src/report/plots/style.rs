//! Colours and letters that are readable on light and on dark pages, also for the colour-blind.

use std::fmt::Display;

use plotters::style::{
    Color, FontDesc, FontFamily, FontStyle, IntoFont, RGBAColor, RGBColor, TextStyle, text_anchor::Pos,
};

/// Letters, axes and ranges.
pub(super) const GREY: RGBColor = RGBColor(128, 128, 128);
/// Portcullis; this and the other colours are from the palette of Okabe and Ito.
pub(super) const BLUE: RGBColor = RGBColor(0, 114, 178);
/// The peers.
pub(super) const ORANGE: RGBColor = RGBColor(230, 159, 0);
/// The lines.
pub(super) const LINES: [RGBColor; 6] =
    [BLUE, ORANGE, RGBColor(0, 158, 115), RGBColor(204, 121, 167), RGBColor(213, 94, 0), RGBColor(86, 180, 233)];

/// The colour of a row.
pub(super) fn colour_of(row: &str) -> RGBAColor {
    match row {
        _ if row.starts_with("portcullis") => BLUE.to_rgba(),
        _ if row.starts_with("bare") => GREY.mix(0.4),
        _ => ORANGE.to_rgba(),
    }
}

/// Grey letters with this anchor.
pub(super) fn letters(size: f64, anchor: Pos) -> TextStyle<'static> {
    let font = FontDesc::new(FontFamily::SansSerif, size, FontStyle::Normal).into_font();
    TextStyle::from(font).color(&GREY).pos(anchor)
}

/// A name for a file.
pub(super) fn slug(title: &str) -> String {
    let words = title.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect::<Vec<_>>().join("-")
}

/// The error text for a failure of plotters.
pub(super) fn undrawn(error: impl Display) -> String {
    format!("cannot draw a plot: {error}")
}
