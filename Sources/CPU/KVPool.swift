internal import CCPU
internal import Compute
internal import Quant

/// The KV cache of all layers: one mapping, `[block, layer, KV head]` for the layers that see everything, then the same for windowed
/// ones, each cell laid out as `ccpu_ops.h` says. What lies together is filled together, so a short text touches few huge pages.
@safe
final class KVPool {
    private let layers: [cpu_kv_layer]
    private let memory: PageMemory
    let configuration: KVCacheConfiguration

    var byteCount: Int { memory.byteCount }

    init(_ layout: CacheLayout, _ configuration: KVCacheConfiguration) throws(BackendError) {
        guard configuration.blockLength == Int(CPU_KV_BLOCK) else {
            throw .unsupported("KV blocks of \(configuration.blockLength) positions")
        }
        guard let format = Self.formats[configuration.format] else {
            throw .unsupported("a KV cache of type \(configuration.format)")
        }
        self.configuration = configuration
        let heads = layout.layers.map {
            Int(cpu_kv_head_bytes(format, Int32($0.keyLength), Int32($0.valueLength)))
        }
        // Per kind of block: where its part of the mapping starts, and the bytes of one block in all of its layers.
        var start: [Bool: Int] = [:]
        var stride: [Bool: Int] = [:]
        var total = 0
        for isWindowed in [false, true] {
            let members = zip(layout.layers, heads).filter { ($0.0.reach != nil) == isWindowed }
            guard let layer = members.first?.0 else { continue }
            let bytes = members.reduce(0) { $0 + $1.0.kvHeads * $1.1 }
            (start[isWindowed], stride[isWindowed]) = (total, bytes)
            total += bytes * configuration.blockCount(of: layer)
        }
        memory = try PageMemory(byteCount: total)
        var layers: [cpu_kv_layer] = unsafe []
        for (layer, head) in zip(layout.layers, heads) {
            let offset = start[layer.reach != nil, default: 0]
            unsafe layers.append(
                cpu_kv_layer(
                    format: format, pool: (memory.base + offset).assumingMemoryBound(to: UInt8.self),
                    block_stride: Int64(stride[layer.reach != nil, default: 0]), head_stride: Int64(head),
                    value_offset: cpu_kv_key_bytes(format, Int32(layer.keyLength)),
                    key_length: Int32(layer.keyLength), value_length: Int32(layer.valueLength)))
            start[layer.reach != nil, default: 0] += layer.kvHeads * head
        }
        unsafe self.layers = layers
    }

    func layer(_ index: Int) -> cpu_kv_layer { unsafe layers[index] }

    private static let formats: [Format: cpu_kv_format] = [
        .f16: CPU_KV_F16, .f32: CPU_KV_F32, .q8_0: CPU_KV_Q8_0,
    ]
}
