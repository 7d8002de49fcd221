//! Progress as it happens: bars on a terminal, plain lines elsewhere.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::summary::lag;

/// How far it is.
#[derive(Debug, Clone, Default)]
pub(crate) struct Progress {
    /// Since the services were started.
    pub(crate) elapsed: Duration,
    /// What is going on, in a word or two.
    pub(crate) phase: &'static str,
    /// Links with both records.
    pub(crate) linked: usize,
    /// Companies on both sides, a linked one counted once.
    pub(crate) companies: usize,
    /// Writes that were applied, in CustomCRM and in Exact Online.
    pub(crate) written: (u64, u64),
    /// Edits that the human made.
    pub(crate) edits: usize,
    /// How long each took that arrived.
    pub(crate) lags: Vec<Duration>,
    /// What the human did last.
    pub(crate) latest: String,
}

/// Where progress is shown.
pub(crate) enum Screen {
    /// On a terminal.
    Live(Live),
    /// As a line about every second.
    Plain {
        /// When the last line was written.
        last: Option<Instant>,
    },
    /// Nowhere.
    #[cfg(test)]
    Nowhere,
}

/// Bars and spinners.
pub(crate) struct Live {
    linked: ProgressBar,
    edits: ProgressBar,
    writes: ProgressBar,
    latest: ProgressBar,
}

impl Screen {
    /// A screen that fits standard output.
    pub(crate) fn of_stdout() -> Self {
        if io::stdout().is_terminal() { Self::Live(Live::new()) } else { Self::Plain { last: None } }
    }

    /// Shows how far it is.
    pub(crate) fn show(&mut self, progress: &Progress) {
        match self {
            Self::Live(live) => live.show(progress),
            Self::Plain { last } => {
                if last.is_none_or(|last| last.elapsed() >= Duration::from_secs(1)) {
                    *last = Some(Instant::now());
                    // Nobody is left to tell when the reader has gone.
                    let _ = writeln!(io::stdout(), "{}", line(progress));
                }
            }
            #[cfg(test)]
            Self::Nowhere => {}
        }
    }

    /// Leaves the last state as it is.
    pub(crate) fn finish(&mut self, progress: &Progress) {
        match self {
            Self::Live(live) => {
                live.show(progress);
                for bar in [&live.linked, &live.edits, &live.writes, &live.latest] {
                    bar.abandon();
                }
            }
            Self::Plain { last } => {
                *last = None;
                self.show(progress);
            }
            #[cfg(test)]
            Self::Nowhere => {}
        }
    }
}

fn line(progress: &Progress) -> String {
    let Progress { elapsed, phase, linked, companies, written, edits, lags, .. } = progress;
    format!(
        "{:>6.1} s  {phase:<11}  linked {linked}/{companies}  edits {edits}, arrived {}  written CRM {}, Exact {}  \
         lag p50 {}, p99 {}",
        elapsed.as_secs_f32(),
        lags.len(),
        written.0,
        written.1,
        lag(lags, 50),
        lag(lags, 99),
    )
}

impl Live {
    fn new() -> Self {
        let all = MultiProgress::with_draw_target(ProgressDrawTarget::stdout());
        let style = |template: &str| {
            ProgressStyle::with_template(template).expect("the literal is a template").progress_chars("━╸ ")
        };
        let spinner = || {
            let bar = all.add(ProgressBar::new_spinner());
            bar.set_style(style("{spinner} {prefix:<9} {msg}"));
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        };
        let linked = all.add(ProgressBar::new(0));
        linked.set_style(style("  {prefix:<9} {bar:40} {pos}/{len}  {msg}"));
        Self {
            linked: linked.with_prefix("linked"),
            edits: spinner().with_prefix("edits"),
            writes: spinner().with_prefix("writes"),
            latest: spinner().with_prefix("latest"),
        }
    }

    fn show(&self, progress: &Progress) {
        let Progress { elapsed, phase, linked, companies, written, edits, lags, latest } = progress;
        self.linked.set_length(u64::try_from(*companies).unwrap_or(u64::MAX));
        self.linked.set_position(u64::try_from(*linked).unwrap_or(u64::MAX));
        self.linked.set_message(format!("{phase}, {:.0} s", elapsed.as_secs_f32()));
        self.edits.set_message(format!(
            "{edits} made, {} arrived, lag p50 {}, p99 {}",
            lags.len(),
            lag(lags, 50),
            lag(lags, 99)
        ));
        self.writes.set_message(format!("{} to CRM, {} to Exact", written.0, written.1));
        self.latest.set_message(latest.clone());
    }
}
