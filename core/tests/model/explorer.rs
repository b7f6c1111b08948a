//! Explorer: looks at every state that a small world can reach, the nearest first, so that the first trace to a broken promise is a
//! shortest one.
//!
//! The players: a [`Model`] (what can happen, and what must hold), [`explore`], and what comes of it: [`Explored`] or [`Broken`].

use std::collections::HashMap;
use std::fmt::{self, Display, Formatter};
use std::hash::Hash;
use std::rc::Rc;

/// A world in which everything that can happen is known.
pub(crate) trait Model {
    /// Everything that makes a difference.
    type State: Display + Eq + Hash;
    /// One thing that can happen.
    type Action: Display;

    /// Where it begins.
    fn start(&self) -> Self::State;

    /// What can happen next.
    fn actions(&self, state: &Self::State) -> Vec<Self::Action>;

    /// What follows from it.
    fn next(&self, state: &Self::State, action: &Self::Action) -> Self::State;

    /// The promise that this step breaks.
    fn broken(&self, before: &Self::State, action: &Self::Action, after: &Self::State) -> Option<&'static str>;

    /// Notes what this step shows to be possible, a bit for each thing.
    fn note(&self, before: &Self::State, action: &Self::Action, after: &Self::State, shown: &mut u64);

    /// Whether it may end here.
    fn is_over(&self, state: &Self::State) -> bool;
}

/// The promise that is broken where a way does not end, or ends before everything is done.
pub(crate) const NOT_STUCK: &str = "13 not stuck";

/// A world that holds.
#[derive(Debug)]
pub(crate) struct Explored {
    /// How many states it has.
    pub(crate) states: usize,
    /// How many steps lead from one to another.
    pub(crate) steps: usize,
    /// How many steps it takes to the farthest.
    pub(crate) depth: usize,
    /// What was shown to be possible, as the model noted it.
    pub(crate) shown: u64,
}

/// A shortest way to a broken promise.
pub(crate) struct Broken {
    /// Which promise.
    pub(crate) promise: &'static str,
    /// How many states were known by then.
    pub(crate) states: usize,
    /// What happened, one thing after another, and what the world was like then.
    pub(crate) trace: Vec<(String, String)>,
}

impl Display for Broken {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "promise `{}` is broken in {} steps, after {} states:", self.promise, self.trace.len(), self.states)?;
        self.trace.iter().enumerate().try_for_each(|(at, (action, state))| writeln!(f, "{:>4}  {action}\n        {state}", at + 1))
    }
}

/// A state, with the steps that lead to it: the first of them on a shortest way.
struct Node<M: Model> {
    state: Rc<M::State>,
    depth: usize,
    by: Option<M::Action>,
    from: Vec<usize>,
}

/// Looks at every state, the nearest first.
pub(crate) fn explore<M: Model>(model: &M) -> Result<Explored, Broken> {
    let start = Rc::new(model.start());
    let mut nodes: Vec<Node<M>> = vec![Node { state: start.clone(), depth: 0, by: None, from: Vec::new() }];
    let mut places = HashMap::from([(start, 0)]);
    let mut shown = 0;
    let mut at = 0;
    while let Some(Node { state, depth, .. }) = nodes.get(at) {
        let (before, depth) = (state.clone(), depth + 1);
        for action in model.actions(&before) {
            let after = Rc::new(model.next(&before, &action));
            if let Some(promise) = model.broken(&before, &action, &after) {
                return Err(broken(&nodes, at, Some((&action, &after)), promise));
            }
            model.note(&before, &action, &after, &mut shown);
            let place = *places.entry(after.clone()).or_insert(nodes.len());
            match nodes.get_mut(place) {
                Some(known) => known.from.push(at),
                None => nodes.push(Node { state: after, depth, by: Some(action), from: vec![at] }),
            }
        }
        at += 1;
    }
    if let Some(trap) = trap(model, &nodes) {
        return Err(broken(&nodes, trap, None, NOT_STUCK));
    }
    let steps = nodes.iter().map(|node| node.from.len()).sum();
    Ok(Explored { states: nodes.len(), steps, depth: nodes.last().map_or(0, |node| node.depth), shown })
}

/// The nearest state that is no end and has no way on, or that can come round again. Where there is none, every way ends.
fn trap<M: Model>(model: &M, nodes: &[Node<M>]) -> Option<usize> {
    let (mut ways_on, mut entries) = (vec![Vec::new(); nodes.len()], vec![0; nodes.len()]);
    for (place, node) in nodes.iter().enumerate() {
        for from in node.from.iter().filter(|from| **from != place) {
            ways_on[*from].push(place);
            entries[place] += 1;
        }
    }
    let mut passable: Vec<usize> = (0..nodes.len()).filter(|place| entries[*place] == 0).collect();
    while let Some(place) = passable.pop() {
        for next in &ways_on[place] {
            entries[*next] -= 1;
            passable.extend((entries[*next] == 0).then_some(*next));
        }
    }
    (0..nodes.len()).find(|place| entries[*place] > 0 || (ways_on[*place].is_empty() && !model.is_over(&nodes[*place].state)))
}

/// The way to the state at this place, and one step further.
fn broken<M: Model>(nodes: &[Node<M>], mut at: usize, last: Option<(&M::Action, &M::State)>, promise: &'static str) -> Broken {
    let mut trace: Vec<_> = last.map(|(action, state)| (action.to_string(), state.to_string())).into_iter().collect();
    while let Node { state, by: Some(action), from, .. } = &nodes[at] {
        trace.push((action.to_string(), state.to_string()));
        at = from[0];
    }
    trace.reverse();
    Broken { promise, states: nodes.len(), trace }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A puzzle with known answers: from one on, add three or double, up to fifty; perhaps halve.
    struct Numbers {
        forbidden: u32,
        halves: bool,
        ends: std::ops::Range<u32>,
    }

    const FAIR: Numbers = Numbers { forbidden: 3, halves: false, ends: 50..100 };

    impl Model for Numbers {
        type State = u32;
        type Action = &'static str;

        fn start(&self) -> u32 {
            1
        }

        fn actions(&self, state: &u32) -> Vec<&'static str> {
            match state {
                50.. => Vec::new(),
                _ if self.halves && state.is_multiple_of(2) => vec!["add three", "double", "halve"],
                _ => vec!["add three", "double"],
            }
        }

        fn next(&self, state: &u32, action: &&'static str) -> u32 {
            match *action {
                "add three" => state + 3,
                "double" => state * 2,
                _ => state / 2,
            }
        }

        fn broken(&self, _: &u32, _: &&'static str, after: &u32) -> Option<&'static str> {
            (*after == self.forbidden).then_some("forbidden")
        }

        fn note(&self, _: &u32, _: &&'static str, after: &u32, shown: &mut u64) {
            *shown |= u64::from(*after == 49);
        }

        fn is_over(&self, state: &u32) -> bool {
            self.ends.contains(state)
        }
    }

    #[test]
    fn a_shortest_way_is_found() {
        let Err(broken) = explore(&Numbers { forbidden: 14, ..FAIR }) else { panic!("14 is two times seven, which is one and six") };
        let trace: Vec<_> = broken.trace.iter().map(|(action, state)| format!("{action}: {state}")).collect();
        assert_eq!((broken.promise, trace.join(", ").as_str()), ("forbidden", "add three: 4, add three: 7, double: 14"));
    }

    #[test]
    fn every_state_is_seen() {
        let explored = explore(&FAIR).unwrap_or_else(|broken| panic!("{broken}"));
        // No way leads to a multiple of three, and above 52 there are only doubles.
        let reachable = (1..100).filter(|number| number % 3 != 0 && (*number <= 52 || number % 2 == 0)).count();
        assert_eq!((explored.states, explored.shown), (reachable, 1));
    }

    #[test]
    fn an_end_that_is_none_is_found() {
        let Err(broken) = explore(&Numbers { ends: 50..98, ..FAIR }) else { panic!("98 is two times 49, and no end") };
        assert_eq!((broken.promise, broken.trace.last().map(|(_, state)| state.as_str())), (NOT_STUCK, Some("98")));
    }

    #[test]
    fn a_way_without_an_end_is_found() {
        let Err(broken) = explore(&Numbers { halves: true, ..FAIR }) else { panic!("one, two, one, two") };
        assert_eq!(broken.promise, NOT_STUCK);
    }
}
