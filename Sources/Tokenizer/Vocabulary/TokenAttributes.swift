/// What kind of token this is, from `tokenizer.ggml.token_type` and from what its text says.
package struct TokenAttributes: OptionSet, Hashable, Sendable {
    package let rawValue: UInt16

    package init(rawValue: UInt16) { self.rawValue = rawValue }

    package static let unknown = TokenAttributes(rawValue: 1 << 0)
    package static let unused = TokenAttributes(rawValue: 1 << 1)
    package static let normal = TokenAttributes(rawValue: 1 << 2)
    /// Marks structure, such as a turn's end: found in a text only where that is asked for, and not part of an answer.
    package static let control = TokenAttributes(rawValue: 1 << 3)
    /// Found in any text before it is split.
    package static let userDefined = TokenAttributes(rawValue: 1 << 4)
    /// Stands for one byte, spelled <0xNN>.
    package static let byte = TokenAttributes(rawValue: 1 << 5)
    /// White space before or after the token belongs to it.
    package static let stripsLeft = TokenAttributes(rawValue: 1 << 6)
    package static let stripsRight = TokenAttributes(rawValue: 1 << 7)

    /// By the number in the file; other numbers say nothing.
    init(type: Int) {
        switch type {
        case 1: self = .normal
        case 2: self = .unknown
        case 3: self = .control
        case 4: self = .userDefined
        case 5: self = .unused
        case 6: self = .byte
        default: self = []
        }
    }

    /// Tokens that do not show in an answer.
    package var isSpecial: Bool { !isDisjoint(with: [.unknown, .control]) }
}
