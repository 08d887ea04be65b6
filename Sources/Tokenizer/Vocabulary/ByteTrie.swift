/// A prefix tree over bytes, its edges in one hash table.
struct ByteTrie: Sendable {
    /// Children of the root by byte; 0 for none.
    private var roots = [Int32](repeating: 0, count: 256)
    /// Node << 8 | byte, or 0 where free: the root's edges are not in here.
    private var edges: [UInt64]
    private var children: [Int32]
    /// Per node, the value of the string that ends there, or -1.
    private var values: [Int32] = [-1]
    private var mask: Int

    init() {
        edges = [UInt64](repeating: 0, count: 64)
        children = [Int32](repeating: 0, count: 64)
        mask = 63
    }

    static let root: Int32 = 0

    var isEmpty: Bool { values.count == 1 }

    /// Of equal strings the last value counts; an empty string is ignored.
    mutating func insert(_ string: Span<UInt8>, _ value: Int32) {
        guard !string.isEmpty else { return }
        var node = Self.root
        for index in string.indices {
            let byte = string[index]
            if let child = child(of: node, byte) {
                node = child
            } else {
                let child = Int32(values.count)
                values.append(-1)
                add(child, to: node, byte)
                node = child
            }
        }
        values[Int(node)] = value
    }

    @inline(__always)
    func child(of node: Int32, _ byte: UInt8) -> Int32? {
        if node == Self.root {
            let child = roots[Int(byte)]
            return child == 0 ? nil : child
        }
        let edge = UInt64(UInt32(bitPattern: node)) << 8 | UInt64(byte)
        var slot = Int(truncatingIfNeeded: ByteHash.mix(edge)) & mask
        while true {
            let found = edges[slot]
            if found == edge { return children[slot] }
            if found == 0 { return nil }
            slot = (slot + 1) & mask
        }
    }

    /// The value of the string that ends at `node`.
    @inline(__always)
    func value(_ node: Int32) -> Int32? {
        let value = values[Int(node)]
        return value < 0 ? nil : value
    }

    /// The longest string that `text` has at `start`.
    func longestMatch(in text: Span<UInt8>, at start: Int) -> (value: Int32, length: Int)? {
        var node = Self.root
        var index = start
        var result: (value: Int32, length: Int)?
        while index < text.count, let child = child(of: node, text[index]) {
            node = child
            index += 1
            if let value = value(node) { result = (value, index - start) }
        }
        return result
    }

    private mutating func add(_ child: Int32, to node: Int32, _ byte: UInt8) {
        if node == Self.root {
            roots[Int(byte)] = child
            return
        }
        if values.count * 2 > edges.count { grow() }
        place(UInt64(UInt32(bitPattern: node)) << 8 | UInt64(byte), child)
    }

    private mutating func place(_ edge: UInt64, _ child: Int32) {
        var slot = Int(truncatingIfNeeded: ByteHash.mix(edge)) & mask
        while edges[slot] != 0 { slot = (slot + 1) & mask }
        edges[slot] = edge
        children[slot] = child
    }

    private mutating func grow() {
        let oldEdges = edges
        let oldChildren = children
        let size = edges.count * 2
        edges = [UInt64](repeating: 0, count: size)
        children = [Int32](repeating: 0, count: size)
        mask = size - 1
        for (edge, child) in zip(oldEdges, oldChildren) where edge != 0 { place(edge, child) }
    }
}
