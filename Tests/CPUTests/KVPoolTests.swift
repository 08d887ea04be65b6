import Compute
import Quant
import Testing

@testable import CPU

@Suite struct KVPoolTests {
    static let layouts: [CacheLayout] = [
        // Layers with and without a window, as Gemma 3 has them.
        CacheLayout(
            layers: (0..<6).map {
                .init(kvHeads: 4, keyLength: 256, valueLength: 256, window: $0 == 5 ? nil : 512)
            }),
        // Latent vectors, as DeepSeek V3 keeps them.
        CacheLayout(layers: [.init(kvHeads: 1, keyLength: 576, valueLength: 512)]),
        CacheLayout(layers: [.init(kvHeads: 8, keyLength: 128, valueLength: 64, chunk: 8192)]),
        // Heads that fill no whole vector and no whole part.
        CacheLayout(layers: [
            .init(kvHeads: 3, keyLength: 72, valueLength: 72), .init(kvHeads: 1, keyLength: 40, valueLength: 20),
        ]),
    ]

    @Test(arguments: KVFormat.all.map(\.format.name), layouts)
    func thePoolTakesWhatThePlanSays(name: String, layout: CacheLayout) throws {
        let format = try #require(KVFormat.named(name))
        let configuration = KVCacheConfiguration(format: format.format, blockCount: 70, windowBlockCount: 3)
        let pool = try KVPool(layout, configuration)
        #expect(pool.byteCount == layout.byteCount(configuration))
        let positions = layout.layers.map { $0.reach == nil ? 70 * 32 : 3 * 32 }
        let bytes = zip(layout.layers, positions).map { $0.bytesPerPosition(format.format) * $1 }
        #expect(pool.byteCount == bytes.reduce(0, +))
    }
}
