/// Where the variables of a template are stored.
///
/// Jinja's scopes are those of the Python functions that it compiles a template to: every region that has variables of its own
/// decides, when it is entered and from the text alone, which names it holds. A name that a region assigns begins as a copy of
/// the outer one; a name that it only reads is the outer one, or else is looked up in the context once, on entry.
struct ScopeAnalysis: Sendable {
    /// A slot of the frame that is `hops` frames out.
    struct Place: Sendable, Hashable {
        let hops: Int
        let slot: Int
    }

    /// How a variable of a region begins.
    enum Start: Sendable {
        /// From the variables of the template.
        case context(Text)
        /// From an outer region.
        case copy(Place)
        case undefined
    }

    struct Scope: Sendable {
        var starts: [(slot: Int, start: Start)] = []
        /// For a region with a frame of its own: its slots.
        var slotCount = 0
        /// Which of the special variables a macro takes.
        var takesCaller = false
        var takesKeywordRest = false
        var takesRest = false
        /// For a loop: whether its body or something in it mentions `loop`.
        var takesLoop = false
        /// For a scoped block: the variables that it sees as if they were of the template.
        var locals: [(name: Text, place: Place)] = []
    }

    /// Of each mention, by its id.
    var places: [Place]
    var scopes: [Scope]
    /// Mentions that assign a variable of the template itself: blocks see these.
    var exports: Set<Int> = []
    var blocks: [Text: Block] = [:]

    /// - Throws: what can be seen to be wrong before the template runs.
    init(_ body: [Statement], mentionCount: Int, scopeCount: Int) throws(ChatError) {
        places = Array(repeating: Place(hops: 0, slot: 0), count: mentionCount)
        scopes = Array(repeating: Scope(), count: scopeCount)
        var resolver = ScopeResolver(self)
        try resolver.resolve(root: body)
        self = resolver.analysis
    }
}
