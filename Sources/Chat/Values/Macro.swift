/// A macro, or the body of a `call`, with the variables around it.
final class Macro {
    let definition: MacroDefinition
    let frame: Frame

    init(_ definition: MacroDefinition, in frame: Frame) {
        self.definition = definition
        self.frame = frame
    }

    var name: Text? { definition.name?.name }
}

/// The variables of one run of the template, a macro or a recursive loop.
final class Frame {
    /// `nil` for a variable without a value.
    var slots: [Value?]
    let outer: Frame?

    init(slotCount: Int, outer: Frame?) {
        slots = Array(repeating: nil, count: slotCount)
        self.outer = outer
    }

    subscript(place: ScopeAnalysis.Place) -> Value? {
        get { frame(place.hops).slots[place.slot] }
        set { frame(place.hops).slots[place.slot] = newValue }
    }

    private func frame(_ hops: Int) -> Frame {
        var frame = self
        for _ in 0..<hops {
            guard let outer = frame.outer else { preconditionFailure("a place within the frames of its template") }
            frame = outer
        }
        return frame
    }
}
