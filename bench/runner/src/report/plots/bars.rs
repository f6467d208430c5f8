//! One bar for each row, with the range of its windows.

use figures::Figure;
use harness::Result;
use plotters::{
    coord::Shift,
    drawing::DrawingArea,
    prelude::{IntoDrawingArea, PathElement, Rectangle, SVGBackend, Text},
    style::{
        Color,
        text_anchor::{HPos, Pos, VPos},
    },
};

use super::{
    super::numbers::shown,
    style::{GREY, colour_of, letters, undrawn},
};

const WIDTH: i32 = 760;
/// The start of the bars, and the space for their values after them.
const BARS: i32 = 230;
const VALUES: i32 = 110;
const ROW: i32 = 30;
const HEAD: i32 = 40;
const THICKNESS: i32 = 18;

/// The plot as SVG.
pub(super) fn draw(title: &str, rows: &[&Figure]) -> Result<String> {
    let height = HEAD + ROW * i32::try_from(rows.len()).unwrap_or(0) + 10;
    let mut svg = String::new();
    let area = SVGBackend::with_string(&mut svg, (WIDTH.unsigned_abs(), height.unsigned_abs())).into_drawing_area();
    let heading = letters(19.0, Pos::new(HPos::Left, VPos::Center));
    area.draw(&Text::new(title.to_owned(), (10, HEAD / 2), heading)).map_err(undrawn)?;
    let most = rows.iter().map(|figure| figure.high).fold(f64::MIN_POSITIVE, f64::max);
    for (row, middle) in rows.iter().zip((HEAD + ROW / 2..).step_by(ROW.unsigned_abs() as usize)) {
        Bar { figure: row, middle, most }.draw(&area)?;
    }
    drop(area);
    Ok(svg)
}

struct Bar<'a> {
    figure: &'a Figure,
    middle: i32,
    most: f64,
}

impl Bar<'_> {
    fn draw(&self, area: &DrawingArea<SVGBackend<'_>, Shift>) -> Result {
        let &Self { figure, middle, .. } = self;
        let (top, bottom) = (middle - THICKNESS / 2, middle + THICKNESS / 2);
        let bar = Rectangle::new([(BARS, top), (self.x(figure.median), bottom)], colour_of(&figure.row).filled());
        let range = vec![(self.x(figure.low), middle), (self.x(figure.high), middle)];
        let label = letters(15.0, Pos::new(HPos::Right, VPos::Center));
        let value = letters(15.0, Pos::new(HPos::Left, VPos::Center));
        area.draw(&bar).map_err(undrawn)?;
        area.draw(&PathElement::new(range, GREY.stroke_width(2))).map_err(undrawn)?;
        area.draw(&Text::new(figure.row.clone(), (BARS - 8, middle), label)).map_err(undrawn)?;
        let text = shown(figure.median, &figure.unit);
        area.draw(&Text::new(text, (self.x(figure.high) + 8, middle), value)).map_err(undrawn)
    }

    #[expect(clippy::cast_possible_truncation, reason = "a pixel")]
    fn x(&self, value: f64) -> i32 {
        BARS + (f64::from(WIDTH - BARS - VALUES) * value / self.most) as i32
    }
}
