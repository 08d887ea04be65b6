internal import CFormats
import Foundation
import Quant
import TestSupport
import Testing

@Suite struct DecodeTests {
    @Test("C unpack gives the same bits as the Swift reference", arguments: quantized)
    func unpack(_ format: Format) throws {
        let info = unsafe try #require(format_with_id(format.id)).pointee
        let groups = try #require(format.groups)
        let blocks = 4000
        let bytes = format.randomBlocks(blocks, seed: 1)
        let expected = format.referenceDecoded(bytes)
        var codes = [Int8](repeating: 0, count: format.blockLength)
        var scales = [Float](repeating: 0, count: format.blockLength / groups.length)
        var mins = scales
        for block in 0..<blocks {
            unsafe bytes.withUnsafeBytes { source in
                let address = unsafe source.baseAddress! + block * format.blockBytes
                unsafe info.unpack(address, &codes, &scales, &mins)
            }
            for i in 0..<format.blockLength {
                var weight = scales[i / groups.length] * Float(codes[i])
                if groups.hasMinimum { weight -= mins[i / groups.length] }
                let reference = expected[block * format.blockLength + i]
                if weight.bitPattern != reference.bitPattern {
                    Issue.record("\(format) block \(block) weight \(i): \(weight), reference \(reference)")
                    return
                }
            }
        }
    }

    @Test("The same bits as the vectors that scripts/quant-vectors wrote", arguments: Format.all)
    func vectors(_ format: Format) throws {
        let vectors = try Vector.committed.get().filter { $0.format == format.name }
        if format.hasReference { #expect(!vectors.isEmpty) }
        for vector in vectors {
            #expect(format.decoded(vector.bytes).map(\.bitPattern) == vector.values)
            #expect(format.referenceDecoded(vector.bytes).map(\.bitPattern) == vector.values)
        }
    }

    @Test("The same bits as the Python package on random blocks", arguments: Format.all.filter(\.hasReference))
    func python(_ format: Format) throws {
        let bytes = format.randomBlocks(3000, seed: 2)
        guard let answer = try Python.reference("dequantize", format, Data(bytes)) else { return }
        let expected = unsafe answer.withUnsafeBytes { unsafe Array($0.bindMemory(to: UInt32.self)) }
        #expect(format.decoded(bytes).map(\.bitPattern) == expected)
        #expect(format.referenceDecoded(bytes).map(\.bitPattern) == expected)
    }

    @Test("One block by pointers, the reference and the fast decoder agree", arguments: Format.all)
    func pointers(_ format: Format) {
        let bytes = format.randomBlocks(3, seed: 3)
        var last = [Float](repeating: 0, count: format.blockLength)
        unsafe bytes.withUnsafeBytes { source in
            unsafe format.decodeBlock(source.baseAddress! + 2 * format.blockBytes, &last)
        }
        let expected = format.decoded(bytes).map(\.bitPattern)
        #expect(last.map(\.bitPattern) == Array(expected.suffix(format.blockLength)))
        #expect(format.referenceDecoded(bytes).map(\.bitPattern) == expected)
    }

    @Test(arguments: [Format.f16, .bf16])
    func `Every number of 16 bits has the same bits as by the reference`(format: Format) {
        let bytes = (0...UInt16.max).flatMap { [UInt8(truncatingIfNeeded: $0), UInt8($0 >> 8)] }
        #expect(format.decoded(bytes).map(\.bitPattern) == format.referenceDecoded(bytes).map(\.bitPattern))
    }
}

extension Format {
    /// Whether the `gguf` package decodes the format: all but plain integers, binary64 and Q1_0 and Q2_0.
    var hasReference: Bool { id <= 23 || id == 29 || (30...40).contains(id) }
}
