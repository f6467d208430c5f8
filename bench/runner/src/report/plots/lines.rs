//! One line for each column, over the numbers at the start of the rows' names; both axes are logarithmic.

use figures::Figure;
use harness::Result;
use plotters::{
    chart::{ChartBuilder, ChartContext, LabelAreaPosition},
    coord::{Shift, combinators::LogCoord},
    drawing::DrawingArea,
    prelude::{Cartesian2d, Circle, IntoDrawingArea, IntoLogRange, LineSeries, SVGBackend, Text},
    style::{
        Color, RGBColor,
        text_anchor::{HPos, Pos, VPos},
    },
};

use super::{
    super::numbers::shown,
    style::{GREY, LINES, letters, undrawn},
};
use crate::results::distinct;

const SIZE: (u32, u32) = (760, 320);
/// The space for the lines' names, after their ends, and the least distance between them.
const NAMES: u32 = 190;
const LINE_OF_TEXT: i32 = 17;

type Point = (f64, f64);
type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<LogCoord<f64>, LogCoord<f64>>>;

/// One column.
struct Line<'a> {
    name: &'a str,
    colour: RGBColor,
    points: Vec<Point>,
}

/// The plot as SVG.
pub(super) fn draw(title: &str, figures: &[&Figure]) -> Result<String> {
    let lines = lines(figures);
    let unit = figures.first().map_or("", |figure| figure.unit.as_str());
    let mut svg = String::new();
    let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
    let mut chart = chart(&area, title, &lines)?;
    draw_mesh(&mut chart, unit)?;
    draw_rows(&area, &chart, figures)?;
    draw_names(&area, &chart, &lines)?;
    lines.iter().try_for_each(|line| line.draw(&mut chart))?;
    drop(chart);
    drop(area);
    Ok(svg)
}

impl Line<'_> {
    fn draw(&self, chart: &mut Chart<'_, '_>) -> Result {
        let dots = self.points.iter().map(|point| Circle::new(*point, 3, self.colour.filled()));
        chart.draw_series(dots).map_err(undrawn)?;
        let line = LineSeries::new(self.points.iter().copied(), self.colour.stroke_width(2));
        chart.draw_series(line).map_err(undrawn)?;
        Ok(())
    }
}

fn lines<'a>(figures: &[&'a Figure]) -> Vec<Line<'a>> {
    let columns = distinct(figures.iter().map(|figure| figure.column.as_str()));
    let points = |column: &str| {
        let of_column = figures.iter().filter(|figure| figure.column == column);
        of_column.filter_map(|figure| Some((number(&figure.row)?, figure.median))).collect()
    };
    let line = |(name, colour): (_, &RGBColor)| Line { name, colour: *colour, points: points(name) };
    columns.into_iter().zip(LINES.iter().cycle()).map(line).collect()
}

/// The number at the start of a row's name, such as `10,000 tokens`.
fn number(row: &str) -> Option<f64> {
    row.split(' ').next()?.replace(',', "").parse().ok()
}

fn chart<'a, 'b>(area: &'a Area<'b>, title: &str, lines: &[Line<'_>]) -> Result<Chart<'a, 'b>> {
    let points = || lines.iter().flat_map(|line| &line.points);
    let (left, right) = ends(points().map(|point| point.0));
    let (low, high) = ends(points().map(|point| point.1));
    if left >= right || low <= 0.0 {
        return Err(format!("cannot draw {title}: expected rows that begin with different numbers, and no zero"));
    }
    ChartBuilder::on(area)
        .margin(12)
        .margin_right(NAMES)
        .caption(title, letters(19.0, Pos::new(HPos::Left, VPos::Top)))
        .x_label_area_size(28)
        .y_label_area_size(72)
        .build_cartesian_2d((left..right).log_scale(), decades(low, high).log_scale())
        .map_err(undrawn)
}

fn ends(values: impl Iterator<Item = f64>) -> (f64, f64) {
    values.fold((f64::MAX, f64::MIN), |(least, most), value| (least.min(value), most.max(value)))
}

/// The range from the power of ten below to the one above.
fn decades(low: f64, high: f64) -> std::ops::Range<f64> {
    10_f64.powf(low.log10().floor())..10_f64.powf(high.log10().ceil())
}

fn draw_mesh(chart: &mut Chart<'_, '_>, unit: &str) -> Result {
    let text = letters(15.0, Pos::new(HPos::Left, VPos::Center));
    let y = |y: &f64| shown(*y, unit);
    let mut mesh = chart.configure_mesh();
    mesh.disable_x_mesh().axis_style(GREY).bold_line_style(GREY.mix(0.35)).light_line_style(GREY.mix(0.0));
    mesh.set_tick_mark_size(LabelAreaPosition::Bottom, 0);
    mesh.y_labels(4).label_style(text).x_label_formatter(&|_| String::new()).y_label_formatter(&y);
    mesh.draw().map_err(undrawn)
}

/// Draws the name of each row at its place on the axis.
fn draw_rows(area: &Area<'_>, chart: &Chart<'_, '_>, figures: &[&Figure]) -> Result {
    let bottom = chart.plotting_area().get_pixel_range().1.end;
    let text = letters(15.0, Pos::new(HPos::Center, VPos::Top));
    for row in distinct(figures.iter().map(|figure| figure.row.as_str())) {
        if let Some(number) = number(row) {
            let (x, _) = chart.backend_coord(&(number, 1.0));
            area.draw(&Text::new(row.to_owned(), (x, bottom + 8), text.clone())).map_err(undrawn)?;
        }
    }
    Ok(())
}

/// Draws each line's name at its end, in its colour, instead of a legend.
fn draw_names(area: &Area<'_>, chart: &Chart<'_, '_>, lines: &[Line<'_>]) -> Result {
    let ends = lines.iter().filter_map(|line| Some((chart.backend_coord(line.points.last()?), line)));
    let mut ends: Vec<_> = ends.collect();
    ends.sort_by_key(|((_, y), _)| *y);
    let mut above = i32::MIN / 2;
    for ((x, y), line) in ends {
        above = y.max(above + LINE_OF_TEXT);
        let text = letters(15.0, Pos::new(HPos::Left, VPos::Center)).color(&line.colour);
        area.draw(&Text::new(line.name.to_owned(), (x + 8, above), text)).map_err(undrawn)?;
    }
    Ok(())
}
