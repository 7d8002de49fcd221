//! How well lines fit the ties that lack one, and which of them are paired.

#[cfg(test)]
mod tests;

use std::cmp::Reverse;

use model::{LineKey, System};

use super::{
    Lines,
    partners::{Come, Hope, Lack, is_alike},
};

/// A line and the tie that it belongs to.
pub(super) struct Pair {
    /// The key under which the line was seen.
    pub(super) line: LineKey,
    /// The tie.
    pub(super) tie: LineKey,
    /// The rows in which another line might as well be meant that holds something else there: what this one holds is
    /// no proof of what the target made of what was sent.
    pub(super) doubtful: Vec<usize>,
}

/// Pairs lines with ties, the best fit first. What fits better is decided by, in this order:
///
/// 1. why the tie may have a line here: what has been here, then what is on its way, then what is the other side's alone;
/// 2. whether we are removing the tie's line here: what is left is rather another one;
/// 3. how many of the match rows are alike, from the strongest on;
/// 4. whether a line is back that both sides had and one of them has lost: rather that than one that is new;
/// 5. in how much the two are alike of what is written to this side;
/// 6. whether the line is still there, and the tie's other line: what is left may not be taken for what is gone;
/// 7. how little the line fits another tie, or the tie another line: each takes what the others miss the least;
/// 8. in how much they are alike of what this side computes by itself, and then by position.
pub(super) fn pairs(lines: &Lines<'_>, system: System, come: &[Come<'_>], lack: &[Lack<'_>]) -> Vec<Pair> {
    let mut fits = Fits::of(lines, system, come, lack);
    for fit in fits.ranked() {
        if fits.tie_of[fit.from].is_none() && fits.line_of[fit.at].is_none() {
            (fits.tie_of[fit.from], fits.line_of[fit.at]) = (Some(fit.at), Some(fit.from));
        }
    }
    let paired = fits.all.iter().filter(|fit| fits.tie_of[fit.from] == Some(fit.at));
    paired
        .map(|fit| Pair {
            line: come[fit.from].key.clone(),
            tie: lack[fit.at].key.clone(),
            doubtful: fits.doubtful(fit),
        })
        .collect()
}

/// How well a line fits a tie.
#[derive(Clone, Copy)]
struct Fit {
    /// The place of the line.
    from: usize,
    /// The place of the tie.
    at: usize,
    /// In how many match rows they are alike, from the strongest on.
    length: usize,
    /// In how much of what is written to this side.
    likeness: usize,
    /// In how much of what it computes by itself.
    computed: usize,
}

struct Fits<'a> {
    come: &'a [Come<'a>],
    lack: &'a [Lack<'a>],
    /// All that may belong together, by tie.
    all: Vec<Fit>,
    /// The tie that each line is paired with.
    tie_of: Vec<Option<usize>>,
    /// The line that each tie is paired with.
    line_of: Vec<Option<usize>>,
}

impl<'a> Fits<'a> {
    fn of(lines: &Lines<'_>, system: System, come: &'a [Come<'a>], lack: &'a [Lack<'a>]) -> Self {
        let mut all = Vec::new();
        for (at, tie) in lack.iter().enumerate() {
            for (from, line) in come.iter().enumerate() {
                let alike = |place: usize| is_alike(line.cells[place], tie.cells[place]);
                let length = lines.match_by.iter().take_while(|place| alike(**place)).count();
                let (written, computed): (Vec<usize>, Vec<usize>) =
                    (0..lines.rows.len()).partition(|place| lines.rows[*place].rule.flow.reaches(system));
                let count = |places: &[usize]| places.iter().filter(|place| alike(**place)).count();
                let (likeness, computed) = (count(&written), count(&computed));
                let is_as_sent = length == lines.match_by.len() && likeness == written.len();
                if may_be(lines, line, tie, length, is_as_sent) {
                    all.push(Fit { from, at, length, likeness, computed });
                }
            }
        }
        Self { come, lack, all, tie_of: vec![None; come.len()], line_of: vec![None; lack.len()] }
    }

    /// The best first.
    fn ranked(&self) -> Vec<Fit> {
        let mut by_likeness = self.all.clone();
        by_likeness.sort_by_key(|fit| Reverse(fit.likeness));
        // One of a line's or a tie's two best is another one than that which is looked at.
        let best = |of: fn(&Fit) -> usize, count: usize| {
            let mut best = vec![Vec::with_capacity(2); count];
            for fit in &by_likeness {
                if best[of(fit)].len() < 2 {
                    best[of(fit)].push(*fit);
                }
            }
            best
        };
        let (for_line, for_tie) =
            (best(|fit| fit.from, self.come.len()), best(|fit| fit.at, self.lack.len()));
        let missed_elsewhere = |fit: &Fit| {
            let others = for_line[fit.from].iter().find(|other| other.at != fit.at);
            let other_ties = for_tie[fit.at].iter().find(|other| other.from != fit.from);
            [others, other_ties].into_iter().flatten().map(|other| other.likeness).sum::<usize>()
        };
        let mut ranked = self.all.clone();
        ranked.sort_by_cached_key(|fit| {
            let (line, tie) = (&self.come[fit.from], &self.lack[fit.at]);
            let is_back = tie.agreed && !tie.removed || line.agreed;
            let by_content = (
                Reverse(is_back),
                Reverse(fit.likeness),
                (line.gone, tie.removed),
                missed_elsewhere(fit),
                Reverse(fit.computed),
            );
            (tie.hope, tie.goes, Reverse(fit.length), by_content, fit.at, fit.from)
        });
        ranked
    }

    /// The rows in which it matters that another line fits the tie as well, or the line another tie.
    fn doubtful(&self, own: &Fit) -> Vec<usize> {
        if self.lack[own.at].hope == Hope::Match {
            return Vec::new();
        }
        let (line, tie) = (&self.come[own.from], &self.lack[own.at]);
        let others =
            self.of_tie(own.at).iter().filter(|other| other.from != own.from && self.is_as_good(own, other));
        let lines = others.map(|other| (&self.come[other.from].cells, &line.cells));
        let free = (0..self.lack.len()).filter(|at| self.line_of[*at].is_none());
        let others =
            free.filter_map(|at| self.fit(own.from, at)).filter(|other| other.quality() >= own.quality());
        let ties = others.map(|other| (&self.lack[other.at].cells, &tie.cells));
        let differing: Vec<_> = lines.chain(ties).collect();
        let differs =
            |place: &usize| differing.iter().any(|(other, own)| !is_alike(other[*place], own[*place]));
        (0..line.cells.len()).filter(differs).collect()
    }

    /// Whether another line might have been paired with the tie of this one: it is free and fits as well, or the two
    /// might as well be swapped.
    fn is_as_good(&self, own: &Fit, other: &Fit) -> bool {
        let Some(tie) = self.tie_of[other.from] else { return other.quality() >= own.quality() };
        let sum = |one: &Fit, other: &Fit| (one.length + other.length, one.likeness + other.likeness);
        let swapped = self.fit(own.from, tie).zip(self.fit(other.from, tie));
        swapped.is_some_and(|(swapped, chosen)| sum(other, swapped) >= sum(own, chosen))
    }

    fn of_tie(&self, at: usize) -> &[Fit] {
        let first = self.all.partition_point(|fit| fit.at < at);
        let end = self.all.partition_point(|fit| fit.at <= at);
        &self.all[first..end]
    }

    fn fit(&self, from: usize, at: usize) -> Option<&Fit> {
        let fits = self.of_tie(at);
        fits.binary_search_by_key(&from, |fit| fit.from).ok().map(|place| &fits[place])
    }
}

impl Fit {
    fn quality(&self) -> (usize, usize) {
        (self.length, self.likeness)
    }
}

fn may_be(lines: &Lines<'_>, line: &Come<'_>, tie: &Lack<'_>, length: usize, is_as_sent: bool) -> bool {
    let may_be = match tie.hope {
        Hope::Sent => !line.agreed,
        Hope::InFlight => !line.agreed && is_as_sent,
        Hope::Match => !(line.undecided || line.agreed && tie.agreed),
    };
    may_be && length >= usize::from(!lines.match_by.is_empty())
}
