internal import Quant

/// Keys and values by pool block, rounded as the cache's format would round them.
final class ReferenceCache {
    struct Entry {
        var key: [Float]
        var value: [Float]
    }

    private struct Slot: Hashable {
        let layer: Int
        let block: Int32
        let offset: Int
        let kvHead: Int
    }

    private let layout: CacheLayout
    private let configuration: KVCacheConfiguration
    private var slots: [Slot: Entry] = [:]

    init(_ layout: CacheLayout, _ configuration: KVCacheConfiguration) {
        self.layout = layout
        self.configuration = configuration
    }

    func store(_ keys: [Float], _ values: [Float], layer: Int, _ inputs: borrowing StepInputs) {
        let shape = layout.layers[layer]
        for sequence in inputs.sequences {
            for index in 0..<sequence.rowCount {
                let row = sequence.firstRow + index
                let position = sequence.firstPosition + index
                let block = inputs.blockTables[sequence.table(of: shape) + position / configuration.blockLength]
                for head in 0..<shape.kvHeads {
                    let item = row * shape.kvHeads + head
                    slots[
                        Slot(layer: layer, block: block, offset: position % configuration.blockLength, kvHead: head)] =
                        Entry(
                            key: rounded(keys[item * shape.keyLength..<(item + 1) * shape.keyLength]),
                            value: rounded(values[item * shape.valueLength..<(item + 1) * shape.valueLength]))
                }
            }
        }
    }

    func entry(_ layer: Int, _ blocks: ArraySlice<Int32>, _ position: Int, kvHead: Int) -> Entry {
        let block = blocks[blocks.startIndex + position / configuration.blockLength]
        let slot = Slot(layer: layer, block: block, offset: position % configuration.blockLength, kvHead: kvHead)
        guard let entry = slots[slot] else { preconditionFailure("position \(position) was never stored") }
        return entry
    }

    private func rounded(_ x: ArraySlice<Float>) -> [Float] { KVFormat(configuration.format).round(Array(x)) }
}
