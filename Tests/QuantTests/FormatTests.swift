internal import CFormats
import Quant
import TestSupport
import Testing

@Suite struct FormatTests {
    /// id, name, weights and bytes in a block, as GGUF files have them.
    private static let geometry: [(UInt32, String, Int, Int)] = [
        (0, "F32", 1, 4), (1, "F16", 1, 2), (2, "Q4_0", 32, 18), (3, "Q4_1", 32, 20), (6, "Q5_0", 32, 22),
        (7, "Q5_1", 32, 24), (8, "Q8_0", 32, 34), (10, "Q2_K", 256, 84), (11, "Q3_K", 256, 110),
        (12, "Q4_K", 256, 144), (13, "Q5_K", 256, 176), (14, "Q6_K", 256, 210), (16, "IQ2_XXS", 256, 66),
        (17, "IQ2_XS", 256, 74), (18, "IQ3_XXS", 256, 98), (19, "IQ1_S", 256, 50), (20, "IQ4_NL", 32, 18),
        (21, "IQ3_S", 256, 110), (22, "IQ2_S", 256, 82), (23, "IQ4_XS", 256, 136), (24, "I8", 1, 1),
        (25, "I16", 1, 2), (26, "I32", 1, 4), (27, "I64", 1, 8), (28, "F64", 1, 8), (29, "IQ1_M", 256, 56),
        (30, "BF16", 1, 2), (34, "TQ1_0", 256, 54), (35, "TQ2_0", 256, 66), (39, "MXFP4", 32, 17),
        (40, "NVFP4", 64, 36), (41, "Q1_0", 128, 18), (42, "Q2_0", 64, 18),
    ]

    @Test func geometryIsTheFileFormats() {
        let ours = Format.all.map { ($0.id, $0.name, $0.blockLength, $0.blockBytes) }.sorted { $0.0 < $1.0 }
        #expect(ours.elementsEqual(Self.geometry, by: ==))
    }

    @Test func lookups() {
        for format in Format.all {
            #expect(Format.with(id: format.id) == format)
            #expect(Format.named(format.name.lowercased()) == format)
        }
        #expect(Format.with(id: 4) == nil)
        #expect(Format.named("Q4_2") == nil)
    }

    @Test func theListInCAgrees() throws {
        for format in quantized {
            let info = unsafe try #require(format_with_id(format.id)).pointee
            #expect(unsafe String(cString: info.name) == format.name)
            #expect(unsafe info.block_length == format.blockLength)
            #expect(unsafe info.block_bytes == format.blockBytes)
            #expect(unsafe info.group == format.groups!.length)
            #expect(unsafe (info.has_min == 1) == format.groups!.hasMinimum)
        }
        for format in Format.all where format.groups == nil {
            #expect(unsafe format_with_id(format.id) == nil)
        }
    }

    @Test func byteCounts() {
        #expect(Format.q4_k.byteCount(of: 512) == 288)
        #expect(Format.q4_k.byteCount(of: 0) == 0)
        #expect(Format.q4_k.byteCount(of: 100) == nil)
        #expect(Format.q4_k.byteCount(of: -256) == nil)
        #expect(Format.f64.byteCount(of: Int.max) == nil)
    }

    @Test("A block with a scale of Inf or NaN is found", arguments: Format.all)
    func nonFinite(_ format: Format) {
        let blocks = 1000
        let clean = format.randomBlocks(blocks, seed: 4)
        #expect(format.firstNonFiniteBlock(clean) == nil)
        // Integers, and the scales of NVFP4, have no bits that stand for anything but a number.
        let canBe = format.groups == nil ? !format.name.hasPrefix("I") : format != .nvfp4
        for block in [0, 63, 64, 517, blocks - 1] {
            var bytes = clean
            let range = block * format.blockBytes..<(block + 1) * format.blockBytes
            bytes.replaceSubrange(range, with: repeatElement(0xff, count: format.blockBytes))
            #expect(format.firstNonFiniteBlock(bytes) == (canBe ? block : nil))
        }
    }

    @Test(
        "Where the scan finds nothing all weights are finite",
        arguments: Format.all.filter { $0 != .mxfp4 && $0 != .f64 })
    func finite(_ format: Format) {
        #expect(format.decoded(format.randomBlocks(2000, seed: 5)).allSatisfy { $0.isFinite })
    }
}
