internal import CCPU
import Glibc

/// Instruction sets that kernels are compiled for. All of them give bit-identical results, but for products in F16 and
/// BF16 and attention over an F16 cache on AMX, which has an arithmetic of its own for them.
package enum InstructionSet: String, CaseIterable, Sendable {
    case portable
    case avx2
    case avxVNNI = "avx-vnni"
    case avx512
    case avx512VNNI = "avx512-vnni"
    case avx512VBMI = "avx512-vbmi"
    case amx

    /// Those that this machine runs, slowest first.
    package static let supported = allCases.filter { cpu_isa_supported($0.isa) }

    /// The one named by `TGI_RUN_ISA`, where this machine runs it, else the fastest.
    package static let best: InstructionSet = {
        if let text = unsafe getenv("TGI_RUN_ISA"),
            let chosen = InstructionSet(rawValue: unsafe String(cString: text)), supported.contains(chosen)
        {
            return chosen
        }
        return supported.last ?? .portable
    }()

    var isa: cpu_isa {
        switch self {
        case .portable: CPU_ISA_PORTABLE
        case .avx2: CPU_ISA_AVX2
        case .avxVNNI: CPU_ISA_AVX_VNNI
        case .avx512: CPU_ISA_AVX512
        case .avx512VNNI: CPU_ISA_AVX512_VNNI
        case .avx512VBMI: CPU_ISA_AVX512_VBMI
        case .amx: CPU_ISA_AMX
        }
    }
}
