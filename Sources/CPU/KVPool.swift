internal import CCPU
internal import Compute
internal import Quant

/// The KV cache of all layers: one mapping, `[layer, block, KV head]`, each cell laid out as `ccpu_ops.h` says.
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
        let sizes = zip(layout.layers, heads).map { $0.kvHeads * $1 * configuration.blockCount(of: $0) }
        memory = try PageMemory(byteCount: sizes.reduce(0, +))
        var offset = 0
        var layers: [cpu_kv_layer] = unsafe []
        for (layer, (head, size)) in zip(layout.layers, zip(heads, sizes)) {
            unsafe layers.append(
                cpu_kv_layer(
                    format: format, pool: (memory.base + offset).assumingMemoryBound(to: UInt8.self),
                    block_stride: Int64(layer.kvHeads * head), head_stride: Int64(head),
                    value_offset: cpu_kv_key_bytes(format, Int32(layer.keyLength)),
                    key_length: Int32(layer.keyLength), value_length: Int32(layer.valueLength)))
            offset += size
        }
        unsafe self.layers = layers
    }

    func layer(_ index: Int) -> cpu_kv_layer { unsafe layers[index] }

    private static let formats: [Format: cpu_kv_format] = [
        .f16: CPU_KV_F16, .f32: CPU_KV_F32, .q8_0: CPU_KV_Q8_0,
    ]
}
