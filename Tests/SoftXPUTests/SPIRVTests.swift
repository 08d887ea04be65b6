import Foundation
import Testing

@testable import SoftXPU

@Suite struct SPIRVTests {
    private func module(_ name: String) throws -> [UInt8] {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("kernels")
        return Array(try Data(contentsOf: folder.appendingPathComponent(name)))
    }

    @Test func `Kernels are read with their parameters and sizes`() throws {
        let code = try SPIRV(module("basic.spv"))
        func kinds(_ name: String) throws -> [String] {
            try #require(code.kernel(name)).parameters.map { parameter in
                switch parameter.kind {
                case .pointer(let alignment): "pointer \(alignment)"
                case .local(let alignment): "local \(alignment)"
                case .value(let size, _): "value \(size)"
                case .unsupported(let what): what
                }
            }
        }
        #expect(try kinds("vadd") == ["pointer 4", "pointer 4", "pointer 4", "value 4"])
        #expect(try kinds("group_sum") == ["pointer 4", "pointer 4", "local 4"])
        #expect(try kinds("by_value") == ["pointer 4", "value 16", "value 16"])
        #expect(try kinds("wide") == ["pointer 16"])
        #expect(try kinds("follow") == ["pointer 8", "pointer 4"])
        #expect(code.kernel("reverse")?.requiredGroupSize == [32, 1, 1])
        #expect(code.kernel("sub_groups")?.subGroupSize == 16)
        #expect(code.kernel("vadd")?.subGroupSize == nil)
        #expect(code.imports.isEmpty && !code.kernels.contains { $0.usesMatrix })
    }

    @Test func `Matrix functions are found through calls`() throws {
        #expect(try SPIRV(module("unsized.spv")).kernels.map(\.matrixSizes) == [[8]])
        #expect(
            try SPIRV(module("matrix16.spv")).kernels.allSatisfy { $0.matrixSizes == [16] && $0.subGroupSize == 16 })
        #expect(SPIRV.matrixSize("_Z36intel_sub_group_i8_i8_matrix_mad_k32Dv8_iS_S_") == 8)
        #expect(SPIRV.matrixSize("_Z38intel_sub_group_f16_f16_matrix_mad_k16sDv8_if") == 16)
        #expect(SPIRV.matrixSize("_Z7nowherei") == nil)
    }

    @Test(arguments: ["Sources/CSoftXPU/library", "Tests/SoftXPUTests/kernels"])
    func `The committed SPIR-V was made from the committed sources`(folder: String) throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let url = root.appendingPathComponent(folder)
        let sources = try FileManager.default.contentsOfDirectory(atPath: url.path).filter { $0.hasSuffix(".cl") }
            .sorted()
        let lines = try sources.map { name in
            let hash = SHA256.hash(try Data(contentsOf: url.appendingPathComponent(name)))
            return hash.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() + "  ./\(name)\n"
        }
        let manifest = try String(contentsOf: url.appendingPathComponent("manifest.txt"), encoding: .utf8)
        #expect(!lines.isEmpty && manifest == lines.joined(), "run scripts/build-soft-kernels")
    }

    @Test func `Damaged modules are refused or read, never the end of the process`() throws {
        let original = try module("basic.spv")
        var random = RandomOrder(seed: 7)
        for _ in 0..<2000 {
            var bytes = original
            for _ in 0..<4 {
                bytes[Int.random(in: 4..<bytes.count, using: &random)] = .random(in: 0...255, using: &random)
            }
            if Bool.random(using: &random) { bytes = Array(bytes.prefix(.random(in: 0...bytes.count, using: &random))) }
            if let code = try? SPIRV(bytes) { _ = ModuleRules.problem(code, on: .dg2) }
        }
    }
}
