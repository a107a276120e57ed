//! What cases have in common: a part of a scenario is rendered once for all cases that can't differ in it.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;

use minijinja::Value;

use super::context::Context;
use crate::scenario::model::{AxisName, AxisValue, Point};

/// What the texts of one case may read, and which axes they did read.
///
/// A text reads a case by the names of its axes alone, so it may read those whose names stand in it.
#[derive(Debug)]
pub struct Names<'a> {
    point: &'a Point,
    context: &'a Context,
    /// Made when a text first reads something: many cases have no text of their own.
    values: OnceCell<Value>,
    read: RefCell<Vec<AxisName>>,
}

impl<'a> Names<'a> {
    /// Those of a case.
    #[must_use]
    pub const fn of(context: &'a Context, point: &'a Point) -> Self {
        Self { point, context, values: OnceCell::new(), read: RefCell::new(Vec::new()) }
    }

    /// The same with flags of its container, as `container.<flag>`.
    #[must_use]
    pub fn with_container(&self, flags: Value) -> Self {
        let values = self.context.of_container(self.point, flags);
        Self { values: values.into(), ..Self::of(self.context, self.point) }
    }

    /// The values, for a text that is about to read them.
    pub fn for_text(&self, text: &str) -> &Value {
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        for axis in self.point.keys().filter(|axis| text.contains(axis.as_str())) {
            if text.split(|c: char| !word(c)).any(|found| found == axis.as_str()) {
                self.reads(axis);
            }
        }
        self.values.get_or_init(|| self.context.of(self.point))
    }

    /// Takes note of an axis of which the value is looked at.
    pub fn reads(&self, axis: &AxisName) {
        let mut read = self.read.borrow_mut();
        if !read.contains(axis) {
            read.push(axis.clone());
        }
    }
}

/// What one part of a scenario comes to, for all of its cases.
///
/// Which texts of a part are looked at follows from what the texts before them came to. So where the axes that one case's texts
/// read have the same values in another case, the other's texts are the same, and all come to the same.
#[derive(Debug)]
pub struct Part<T> {
    /// By axes, and their values.
    known: Vec<(Vec<AxisName>, ByValues<T>)>,
    /// A case was seen in which it read every axis: then it is taken to be every case's own.
    own: bool,
}

/// What was made, by the values of the axes.
type ByValues<T> = HashMap<Vec<AxisValue>, T>;

impl<T> Default for Part<T> {
    fn default() -> Self {
        Self { known: Vec::new(), own: false }
    }
}

impl<T: Clone> Part<T> {
    /// What it comes to in a case: made, or known. `make` gives the same for the same point, reads the point by `names` alone,
    /// and asks no other part.
    ///
    /// # Errors
    /// Those of `make`.
    pub fn of<E>(&mut self, names: &Names<'_>, make: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        if self.own {
            return make();
        }
        let values = |axes: &[AxisName]| axes.iter().filter_map(|axis| names.point.get(axis).cloned()).collect();
        let mut known = self.known.iter().filter_map(|(axes, made)| made.get::<Vec<_>>(&values(axes)));
        if let Some(made) = known.next() {
            return Ok(made.clone());
        }
        names.read.borrow_mut().clear();
        let made = make()?;
        let axes = names.read.take();
        self.own = axes.len() == names.point.len() && !axes.is_empty();
        if !self.own {
            let place = self.known.iter().position(|(known, _)| *known == axes).unwrap_or(self.known.len());
            if place == self.known.len() {
                self.known.push((axes.clone(), HashMap::new()));
            }
            self.known[place].1.insert(values(&axes), made.clone());
        }
        Ok(made)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;
    use crate::facts::Facts;
    use crate::scenario::Templates;

    fn point(values: [i64; 3]) -> Point {
        ["a", "b", "c"].map(AxisName::from).into_iter().zip(values.map(AxisValue::Int)).collect()
    }

    /// Renders `texts` for all points, as a part of `Part` and by themselves: how often it was made.
    fn made(render: impl Fn(&dyn Fn(&str) -> String) -> String) -> usize {
        let (templates, context) = (Templates::new(), Context::new(&Facts::assumed()));
        let (mut part, mut made) = (Part::default(), 0);
        for number in 0..27 {
            let point = point([number / 9, number / 3 % 3, number % 3]);
            let names = Names::of(&context, &point);
            let text = |text: &str| templates.render(text, names.for_text(text)).unwrap();
            let shared = part.of(&names, || {
                made += 1;
                Ok::<_, Infallible>(render(&text))
            });
            assert_eq!(shared, Ok(render(&text)), "{point:?}");
        }
        made
    }

    #[test]
    fn it_is_made_once_for_equal_values_of_what_it_reads() {
        assert_eq!(made(|text| text("as it stands")), 1);
        assert_eq!(made(|text| text("${{ host.engine }} ${{ b }}")), 3);
        assert_eq!(made(|text| text("${{ b }}") + &text("${{ a }}")), 9);
        assert_eq!(made(|text| text("${{ a ~ b ~ c }}")), 27);
    }

    #[test]
    fn what_is_read_may_follow_from_what_was_read() {
        let either = |text: &dyn Fn(&str) -> String| match text("${{ a }}").as_str() {
            "0" => text("${{ b }}"),
            _ => text("none"),
        };
        assert_eq!(made(either), 3 + 2);
    }

    #[test]
    fn a_name_within_a_word_is_no_name() {
        let (context, point) = (Context::new(&Facts::assumed()), point([0, 0, 0]));
        let names = Names::of(&context, &point);
        names.for_text("abc a_b ${{ host.c }}");
        assert_eq!(*names.read.borrow(), [AxisName::from("c")]);
    }
}
