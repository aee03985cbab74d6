//! A directed graph, with its circles (cycles) and floors (layers).

use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Nodes by name, each with the nodes that it points to.
#[derive(Default)]
pub struct Graph<'a>(BTreeMap<&'a str, BTreeSet<&'a str>>);

impl<'a> Graph<'a> {
    pub fn arrow(&mut self, from: &'a str, to: &'a str) {
        self.0.entry(to).or_default();
        self.0.entry(from).or_default().insert(to);
    }

    pub fn targets(&self, node: &str) -> impl Iterator<Item = &'a str> {
        self.0.get(node).into_iter().flatten().copied()
    }

    /// Returns the strongly connected components, found by Tarjan's algorithm. Each comes after all that it points to.
    fn parts(&self) -> Vec<BTreeSet<&'a str>> {
        let mut tarjan = Tarjan { graph: self, low: BTreeMap::new(), stack: vec![], parts: vec![] };
        for &node in self.0.keys() {
            if !tarjan.low.contains_key(node) {
                tarjan.visit(node);
            }
        }
        tarjan.parts
    }

    /// Returns the groups of nodes that reach each other.
    pub fn knots(&self) -> Vec<Knot<'a>> {
        let parts = self.parts().into_iter().filter(|part| part.len() > 1);
        parts.map(|nodes| Knot { circles: self.circles(&nodes), nodes }).collect()
    }

    fn circles(&self, part: &BTreeSet<&'a str>) -> Vec<Vec<&'a str>> {
        let mut circles = BTreeSet::new();
        for &from in part {
            for to in self.targets(from).filter(|to| part.contains(to)) {
                let mut circle = self.shortest_path(to, from, part);
                let first = circle.iter().enumerate().min_by_key(|(_, node)| **node).map_or(0, |(index, _)| index);
                circle.rotate_left(first);
                circles.insert((circle.len(), circle));
            }
        }
        let mut told = BTreeSet::new();
        let mut apart = vec![];
        for (_, circle) in circles {
            let arrows: Vec<_> = arrows(&circle).collect();
            if !arrows.iter().any(|arrow| told.contains(arrow)) {
                told.extend(arrows);
                apart.push(circle);
            }
        }
        apart
    }

    fn shortest_path(&self, from: &'a str, to: &'a str, part: &BTreeSet<&'a str>) -> Vec<&'a str> {
        let mut came_from = BTreeMap::from([(from, from)]);
        let mut queue = VecDeque::from([from]);
        while let Some(node) = queue.pop_front() {
            for next in self.targets(node).filter(|next| part.contains(next)) {
                came_from.entry(next).or_insert_with(|| {
                    queue.push_back(next);
                    node
                });
            }
        }
        let mut path = vec![to];
        let mut node = to;
        while node != from {
            node = came_from[node];
            path.push(node);
        }
        path.reverse();
        path
    }

    /// Returns the floor of each node: the length of the longest path that leads down from it. All nodes of a circle are on
    /// the same floor.
    pub fn floors(&self) -> BTreeMap<&'a str, usize> {
        let mut floors = BTreeMap::new();
        for part in self.parts() {
            let below = part.iter().flat_map(|node| self.targets(node)).filter(|target| !part.contains(target));
            let floor = below.map(|target| floors[target] + 1).max().unwrap_or(0);
            floors.extend(part.iter().map(|&node| (node, floor)));
        }
        floors
    }
}

/// A group of nodes that reach each other.
pub struct Knot<'a> {
    pub nodes: BTreeSet<&'a str>,
    /// The shortest circles, no two of which share an arrow. Breaking these may reveal others.
    pub circles: Vec<Vec<&'a str>>,
}

/// Returns the arrows of a circle: from each node to the next, and from the last to the first.
pub fn arrows<'c, 'a>(circle: &'c [&'a str]) -> impl Iterator<Item = (&'a str, &'a str)> + use<'c, 'a> {
    circle.iter().copied().zip(circle.iter().copied().cycle().skip(1))
}

struct Tarjan<'g, 'a> {
    graph: &'g Graph<'a>,
    /// The index of the earliest visited node that each node is known to reach; `usize::MAX` once its component is found.
    low: BTreeMap<&'a str, usize>,
    stack: Vec<&'a str>,
    parts: Vec<BTreeSet<&'a str>>,
}

impl<'a> Tarjan<'_, 'a> {
    fn visit(&mut self, node: &'a str) -> usize {
        let index = self.low.len();
        let depth = self.stack.len();
        self.low.insert(node, index);
        self.stack.push(node);
        let mut lowest = index;
        for target in self.graph.targets(node) {
            lowest = lowest.min(match self.low.get(target) {
                Some(&low) => low,
                None => self.visit(target),
            });
        }
        self.low.insert(node, lowest);
        if lowest == index {
            let part: BTreeSet<_> = self.stack.split_off(depth).into_iter().collect();
            self.low.extend(part.iter().map(|&node| (node, usize::MAX)));
            self.parts.push(part);
        }
        lowest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(arrows: &[(&'static str, &'static str)]) -> Graph<'static> {
        let mut graph = Graph::default();
        for (from, to) in arrows {
            graph.arrow(from, to);
        }
        graph
    }

    fn circles(graph: &Graph<'static>) -> Vec<Vec<Vec<&'static str>>> {
        graph.knots().into_iter().map(|knot| knot.circles).collect()
    }

    #[test]
    fn a_graph_without_a_circle_has_floors() {
        let graph = graph(&[("a", "b"), ("a", "c"), ("b", "d"), ("c", "d"), ("b", "c")]);
        assert!(graph.knots().is_empty());
        assert_eq!(graph.floors(), BTreeMap::from([("a", 3), ("b", 2), ("c", 1), ("d", 0)]));
    }

    #[test]
    fn each_group_of_circles_is_found_and_stands_on_one_floor() {
        let graph = graph(&[("a", "b"), ("b", "a"), ("b", "c"), ("c", "d"), ("d", "e"), ("e", "c")]);
        assert_eq!(circles(&graph), [[["c", "d", "e"].as_slice()], [["a", "b"].as_slice()]]);
        assert_eq!(graph.floors(), BTreeMap::from([("a", 1), ("b", 1), ("c", 0), ("d", 0), ("e", 0)]));
    }

    #[test]
    fn the_shortest_of_circles_that_share_an_arrow_is_shown_and_the_knot_has_all_nodes() {
        let graph = graph(&[("a", "b"), ("b", "a"), ("b", "c"), ("c", "a")]);
        let knots = graph.knots();
        assert_eq!(knots[0].circles, [["a", "b"]]);
        assert_eq!(knots[0].nodes, BTreeSet::from(["a", "b", "c"]));
    }

    #[test]
    fn circles_through_one_node_are_all_shown_if_they_share_no_arrow() {
        let graph = graph(&[("a", "b"), ("b", "a"), ("b", "c"), ("c", "b")]);
        assert_eq!(circles(&graph), [[["a", "b"], ["b", "c"]]]);
    }
}
