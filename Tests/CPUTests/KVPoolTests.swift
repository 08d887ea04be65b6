import Compute
import Quant
import Testing

@testable import CPU

@Suite struct KVPoolTests {
    static let layouts: [CacheLayout] = [
        // Layers with and without a window, as Gemma 3 has them: a window does not shorten what is kept.
        CacheLayout(
            layers: (0..<6).map {
                .init(kvHeads: 4, keyLength: 256, valueLength: 256, window: $0 == 5 ? nil : 512)
            }),
        // Latent vectors, as DeepSeek V3 keeps them.
        CacheLayout(layers: [.init(kvHeads: 1, keyLength: 576, valueLength: 512)]),
        CacheLayout(layers: [.init(kvHeads: 8, keyLength: 128, valueLength: 64, chunk: 8192)]),
    ]

    @Test(arguments: KVFormat.all.map(\.format.name), layouts)
    func thePoolTakesWhatThePlanSays(name: String, layout: CacheLayout) throws {
        let format = try #require(KVFormat.named(name))
        let pool = try KVPool(layout, KVCacheConfiguration(format: format.format, blockCount: 7))
        #expect(pool.byteCount == layout.bytesPerPosition(format) * 7 * 32)
    }
}
