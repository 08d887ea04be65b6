/// Tensors that a file may have although its forward pass does not read them.
struct UnreadTensors {
    private let layerCount: Int
    private let hasLayersAhead: Bool

    init(_ parameters: Hyperparameters) throws(ModelError) {
        layerCount = try parameters.layerCount()
        hasLayersAhead = try parameters.count("block_count") > layerCount
    }

    func first(of names: some Sequence<String>, notIn read: Set<String>) -> String? {
        names.first { !read.contains($0) && !isHarmless($0) }
    }

    private func isHarmless(_ name: String) -> Bool {
        // Tables of the first converters, and layers that predict further tokens ahead.
        if name.hasSuffix(".attn_rot_embd.weight") || name == "rope_freqs.weight" { return true }
        guard hasLayersAhead, name.hasPrefix("blk."), let number = name.split(separator: ".").dropFirst().first else {
            return false
        }
        return Int(number).map { $0 >= layerCount } ?? false
    }
}
