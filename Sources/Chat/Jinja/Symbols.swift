/// A frame-to-be: its slots, by the region and name that they are for.
final class FrameLayout {
    let depth: Int
    private(set) var slots: [Slot: Int] = [:]

    struct Slot: Hashable {
        let level: Int
        let name: Text
    }

    init(depth: Int) { self.depth = depth }

    /// Regions beside each other share slots: each sets all of its own on entry.
    func slot(_ name: Text, level: Int) -> Int {
        let key = Slot(level: level, name: name)
        if let slot = slots[key] { return slot }
        slots[key] = slots.count
        return slots.count - 1
    }
}

/// The names of one region, as far as they are known.
final class Symbols {
    enum Load {
        case parameter, undefined
        case context(Text)
        case copy(depth: Int, slot: Int)
    }

    let level: Int
    let frame: FrameLayout
    let parent: Symbols?
    private(set) var slots: [Text: Int] = [:]
    private(set) var loads: [(slot: Int, load: Load)] = []
    private(set) var stores: Set<Text> = []

    init(level: Int, frame: FrameLayout, parent: Symbols?) {
        self.level = level
        self.frame = frame
        self.parent = parent
    }

    func copy() -> Symbols {
        let copy = Symbols(level: level, frame: frame, parent: parent)
        (copy.slots, copy.loads, copy.stores) = (slots, loads, stores)
        return copy
    }

    func find(_ name: Text) -> (depth: Int, slot: Int)? {
        if let slot = slots[name] { return (frame.depth, slot) }
        return parent?.find(name)
    }

    private func define(_ name: Text, _ load: Load) {
        let slot = frame.slot(name, level: level)
        slots[name] = slot
        set(slot, load)
    }

    private func set(_ slot: Int, _ load: Load) {
        if let index = loads.firstIndex(where: { $0.slot == slot }) {
            loads[index].load = load
        } else {
            loads.append((slot, load))
        }
    }

    func store(_ name: Text) {
        stores.insert(name)
        guard slots[name] == nil else { return }
        define(name, outer(name) ?? .undefined)
    }

    func load(_ name: Text) {
        if find(name) == nil { define(name, .context(name)) }
    }

    func declareParameter(_ name: Text) {
        stores.insert(name)
        define(name, .parameter)
    }

    private func outer(_ name: Text) -> Load? {
        parent?.find(name).map { .copy(depth: $0.depth, slot: $0.slot) }
    }

    /// What the branches of an `if` assign may stay unassigned: such a name begins as the outer one or that of the context.
    func merge(_ branches: [Symbols]) {
        let assigned = branches.reduce(into: Set<Text>()) { $0.formUnion($1.stores) }.subtracting(stores)
        for branch in branches {
            slots.merge(branch.slots) { $1 }
            for (slot, load) in branch.loads { set(slot, load) }
            stores.formUnion(branch.stores)
        }
        for name in assigned.sorted() {
            if let slot = slots[name] { set(slot, outer(name) ?? .context(name)) }
        }
    }

    /// The innermost assigned variable of each name.
    func assigned() -> [(name: Text, depth: Int, slot: Int)] {
        var result: [(name: Text, depth: Int, slot: Int)] = []
        var region: Symbols? = self
        while let symbols = region {
            for name in symbols.stores.sorted() where !result.contains(where: { $0.name == name }) {
                if let (depth, slot) = find(name) { result.append((name, depth, slot)) }
            }
            region = symbols.parent
        }
        return result
    }
}
