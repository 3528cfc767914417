//! Plots as SVG within the page: no script, and colours by the page's style, light and dark.

use std::fmt::Write as _;

use maud::{Markup, html};

/// The size of a chart, in units of its own that are about a pixel each.
const WIDTH: f64 = 360.0;
const HEIGHT: f64 = 210.0;
/// The plot's own area.
const LEFT: f64 = 46.0;
const RIGHT: f64 = WIDTH - 14.0;
const TOP: f64 = 12.0;
const BOTTOM: f64 = HEIGHT - 38.0;
/// The ticks of an axis, about.
const TICKS: f64 = 4.0;

/// How an axis is divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scale {
    /// From zero, evenly.
    Linear,
    /// By powers of ten; what is not positive can't be shown.
    Logarithmic,
}

/// An axis.
#[derive(Clone, Copy, Debug)]
pub(super) struct Axis<'a> {
    pub(super) label: &'a str,
    pub(super) scale: Scale,
}

/// A line.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) name: String,
    /// The number of its colour in the style.
    pub(super) colour: usize,
    pub(super) points: Vec<(f64, f64)>,
}

/// An axis with its ends, in the chart's units.
struct Placed {
    scale: Scale,
    low: f64,
    high: f64,
    start: f64,
    end: f64,
}

impl Placed {
    fn new(scale: Scale, values: impl Iterator<Item = f64>, start: f64, end: f64) -> Self {
        let values: Vec<f64> = values.filter(|value| scale == Scale::Linear || *value > 0.0).collect();
        let high = values.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
        let low = values.iter().copied().fold(high, f64::min);
        match scale {
            Scale::Linear => Self { scale, low: 0.0, high, start, end },
            Scale::Logarithmic => Self {
                scale,
                low: low.log10().floor(),
                high: high.log10().ceil().max(low.log10().floor() + 1.0),
                start,
                end,
            },
        }
    }

    fn place(&self, value: f64) -> f64 {
        let value = if self.scale == Scale::Linear { value } else { value.log10() };
        self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)
    }

    /// Round numbers along the axis.
    fn ticks(&self) -> Vec<f64> {
        match self.scale {
            Scale::Linear => {
                let step = round_up(self.high / TICKS);
                std::iter::successors(Some(0.0), |tick| Some(tick + step))
                    .take_while(|tick| *tick <= self.high)
                    .collect()
            }
            Scale::Logarithmic => {
                let exponents = std::iter::successors(Some(self.low), |exponent| Some(exponent + 1.0));
                exponents
                    .take_while(|exponent| *exponent <= self.high)
                    .map(|exponent| 10.0_f64.powf(exponent))
                    .collect()
            }
        }
    }
}

/// The next of 1, 2, 5, 10, 20, 50, ...
fn round_up(step: f64) -> f64 {
    let unit = 10.0_f64.powf(step.log10().floor());
    let factor = [1.0, 2.0, 5.0].into_iter().find(|factor| factor * unit >= step);
    factor.unwrap_or(10.0) * unit
}

/// A number as an axis has it.
pub(super) fn short(value: f64) -> String {
    const UNITS: [(f64, &str); 3] = [(1e9, "G"), (1e6, "M"), (1e3, "k")];
    let unit = UNITS.into_iter().find(|(unit, _)| value >= *unit);
    let (value, name) = unit.map_or((value, ""), |(unit, name)| (value / unit, name));
    let digits = usize::from(value < 10.0 && value.fract() > 0.05);
    format!("{value:.digits$}{name}")
}

/// A chart of lines.
pub(super) fn lines(title: &str, x: Axis<'_>, y: Axis<'_>, lines: &[Line]) -> Markup {
    let points = || lines.iter().flat_map(|line| line.points.iter().copied());
    let across = Placed::new(x.scale, points().map(|point| point.0), LEFT, RIGHT);
    let up = Placed::new(y.scale, points().map(|point| point.1), BOTTOM, TOP);
    html! {
        figure.chart {
            svg viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) role="img" aria-label=(title) {
                @for tick in up.ticks() {
                    line.grid x1=(LEFT) x2=(RIGHT) y1=(one(up.place(tick))) y2=(one(up.place(tick))) {}
                    text.tick x=(LEFT - 6.0) y=(one(up.place(tick) + 3.5)) text-anchor="end" { (short(tick)) }
                }
                @for tick in across.ticks() {
                    text.tick x=(one(across.place(tick))) y=(BOTTOM + 15.0) text-anchor="middle" { (short(tick)) }
                }
                line.axis x1=(LEFT) x2=(RIGHT) y1=(BOTTOM) y2=(BOTTOM) {}
                text.label x=(one(f64::midpoint(LEFT, RIGHT))) y=(HEIGHT - 6.0) text-anchor="middle" { (x.label) }
                @for line in lines {
                    path class={ "line colour-" (line.colour) } d=(path(&line.points, &across, &up)) {
                        title { (line.name) }
                    }
                }
            }
            figcaption {
                (y.label)
                @if lines.len() > 1 { (legend(lines.iter().map(|line| (line.name.as_str(), line.colour)))) }
            }
        }
    }
}

/// Which colour is what.
pub(super) fn legend<'a>(names: impl Iterator<Item = (&'a str, usize)>) -> Markup {
    html! {
        span.legend { @for (name, colour) in names { span class={ "key colour-" (colour) } { (name) } " " } }
    }
}

fn path(points: &[(f64, f64)], across: &Placed, up: &Placed) -> String {
    let positive = |value: f64, axis: &Placed| axis.scale == Scale::Linear || value > 0.0;
    let mut path = String::new();
    for (x, y) in points.iter().copied().filter(|(x, y)| positive(*x, across) && positive(*y, up)) {
        let command = if path.is_empty() { 'M' } else { 'L' };
        let _ = write!(path, "{command}{} {}", one(across.place(x)), one(up.place(y)));
    }
    path
}

/// One digit behind the point is finer than a screen.
fn one(value: f64) -> String {
    format!("{value:.1}")
}

/// One bar of a group.
#[derive(Clone, Debug)]
pub(super) struct Bar {
    pub(super) name: String,
    pub(super) colour: usize,
    pub(super) value: f64,
    /// The value as it is written behind the bar.
    pub(super) text: String,
}

/// Bars below each other, and perhaps a mark that they are not to go beyond.
pub(super) fn bars(title: &str, bars: &[Bar], mark: Option<(f64, &str)>) -> Markup {
    const ROW: f64 = 22.0;
    const NAMES: f64 = 96.0;
    const TEXT: f64 = 56.0;
    let most = bars.iter().map(|bar| bar.value).chain(mark.map(|mark| mark.0)).fold(f64::MIN_POSITIVE, f64::max);
    let length = |value: f64| value / most * (WIDTH - NAMES - TEXT);
    let height = ROW * f64::from(u32::try_from(bars.len()).unwrap_or(u32::MAX));
    let rows = bars.iter().zip(std::iter::successors(Some(0.0), |top| Some(top + ROW)));
    html! {
        figure.chart {
            figcaption.title { (title) }
            svg viewBox=(format!("0 0 {WIDTH} {}", height + if mark.is_some() { 18.0 } else { 2.0 })) role="img" aria-label=(title) {
                @for (bar, top) in rows {
                    text.tick x=(NAMES - 8.0) y=(one(top + 15.0)) text-anchor="end" { (bar.name) }
                    rect class={ "bar colour-" (bar.colour) } x=(NAMES) y=(one(top + 4.0)) width=(one(length(bar.value).max(1.0))) height=(ROW - 8.0) rx="2" {}
                    text.value x=(one(NAMES + length(bar.value) + 6.0)) y=(one(top + 15.0)) { (bar.text) }
                }
                @if let Some((value, label)) = mark {
                    line.mark x1=(one(NAMES + length(value))) x2=(one(NAMES + length(value))) y1="0" y2=(one(height + 4.0)) {}
                    text.label x=(one(NAMES + length(value))) y=(one(height + 15.0)) text-anchor="middle" { (label) }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_has_a_few_round_numbers() {
        let axis = |scale, values: &[f64]| Placed::new(scale, values.iter().copied(), 0.0, 100.0).ticks();
        assert_eq!(axis(Scale::Linear, &[3.0, 2500.0]), [0.0, 1000.0, 2000.0]);
        assert_eq!(axis(Scale::Linear, &[230.0]), [0.0, 100.0, 200.0]);
        assert_eq!(axis(Scale::Logarithmic, &[0.0, 150.0, 23_000.0]), [1e2, 1e3, 1e4, 1e5]);
    }

    #[test]
    fn greater_values_are_further_along() {
        for scale in [Scale::Linear, Scale::Logarithmic] {
            let axis = Placed::new(scale, [1.0, 10.0, 1000.0].into_iter(), 0.0, 100.0);
            let places: Vec<f64> = [1.0, 10.0, 1000.0].map(|value| axis.place(value)).into();
            assert!(places.is_sorted() && places[2] <= 100.1, "{places:?}");
        }
    }

    #[test]
    fn one_point_and_none_make_a_chart() {
        let axis = Axis { label: "x", scale: Scale::Linear };
        for points in [vec![], vec![(0.0, 0.0)], vec![(5.0, 1.0)]] {
            let line = Line { name: "one".to_owned(), colour: 1, points };
            let chart = lines("chart", axis, axis, &[line]).into_string();
            assert!(chart.contains("<svg") && !chart.contains("NaN") && !chart.contains("inf"), "{chart}");
        }
    }
}
