"""Finds what in a directed graph leads back to itself, in linear time and without recursion."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence


def components(edges: Mapping[int, Sequence[int]]) -> list[list[int]]:
    """Returns the strongly connected components: sets of nodes that all lead to each other.

    A component comes after every component that its nodes lead to. Its nodes are sorted. Nodes that are only targets
    are components too. (Tarjan's algorithm, with a stack of its own so that a long chain is no danger.)
    """
    index: dict[int, int] = {}
    low: dict[int, int] = {}
    open_nodes: list[int] = []
    is_open: set[int] = set()
    found: list[list[int]] = []
    for root in edges:
        if root in index:
            continue
        work = [(root, iter(edges.get(root, ())))]
        index[root] = low[root] = len(index)
        open_nodes.append(root)
        is_open.add(root)
        while work:
            node, targets = work[-1]
            for target in targets:
                if target not in index:
                    index[target] = low[target] = len(index)
                    open_nodes.append(target)
                    is_open.add(target)
                    work.append((target, iter(edges.get(target, ()))))
                    break
                if target in is_open:
                    low[node] = min(low[node], index[target])
            else:
                work.pop()
                if work:
                    above = work[-1][0]
                    low[above] = min(low[above], low[node])
                if low[node] == index[node]:
                    component = [open_nodes.pop()]
                    while component[-1] != node:
                        component.append(open_nodes.pop())
                    is_open.difference_update(component)
                    found.append(sorted(component))
    return found


def on_cycles(edges: Mapping[int, Sequence[int]]) -> dict[int, tuple[int, ...]]:
    """Returns the nodes that lead back to themselves, each with all nodes of its component."""
    found: dict[int, tuple[int, ...]] = {}
    core = _without_dead_ends(edges)
    for component in components(core):
        if len(component) > 1 or component[0] in core.get(component[0], ()):
            members = tuple(component)
            found.update(dict.fromkeys(component, members))
    return found


def _without_dead_ends(edges: Mapping[int, Sequence[int]]) -> dict[int, list[int]]:
    """Returns the graph without the nodes that lead nowhere, again and again; usually little or nothing is left."""
    sources: dict[int, list[int]] = {}
    open_edges: dict[int, int] = {}
    for node, targets in edges.items():
        open_edges[node] = len(targets)
        for target in targets:
            sources.setdefault(target, []).append(node)
    pending = [node for node in sources if not open_edges.get(node)]
    pending.extend(node for node, count in open_edges.items() if not count and node not in sources)
    gone = set(pending)
    while pending:
        for source in sources.get(pending.pop(), ()):
            open_edges[source] -= 1
            if not open_edges[source] and source not in gone:
                gone.add(source)
                pending.append(source)
    return {node: [target for target in targets if target not in gone] for node, targets in edges.items() if node not in gone}


def shortest_cycle(start: int, edges: Mapping[int, Iterable[int]], members: Iterable[int]) -> list[int]:
    """Returns a shortest way from a node back to itself among the members: the nodes in order, the start once."""
    inside = set(members)
    came_from: dict[int, int] = {}
    level = [start]
    while level:
        following = []
        for node in level:
            for target in edges.get(node, ()):
                if target == start:
                    way = [node]
                    while way[-1] != start:
                        way.append(came_from[way[-1]])
                    return way[::-1]
                if target in inside and target not in came_from:
                    came_from[target] = node
                    following.append(target)
        level = following
    return [start]
