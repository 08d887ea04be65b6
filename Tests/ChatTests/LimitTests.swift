import Chat
import JSON
import Testing

/// A template cannot use more time, stack or memory than it may, and damaged ones fail with an error.
@Suite struct LimitTests {
    private func outcome(_ source: String, _ extra: JSONObject = JSONObject()) -> Result<String, ChatError> {
        Result { () throws(ChatError) in
            try ChatTemplate(source: source).render(messages: [["role": "user", "content": "Hi"]], extra: extra)
        }
    }

    private func error(_ source: String) -> ChatError? {
        if case .failure(let error) = outcome(source) { error } else { nil }
    }

    @Test(arguments: [
        // Time.
        "{% for a in range(100000) %}{% for b in range(100000) %}{{ a }}{% endfor %}{% endfor %}",
        "{% for a in range(100000) %}{% for b in range(100000) %}{% set x = 1 %}{% endfor %}{% endfor %}",
        "{% set big = range(100000) | list %}{% for a in range(100000) %}{% if -1 in big %}{% endif %}{% endfor %}",
        "{% set big = 'ab' * 1000000 %}{% for a in range(100000) %}{% if 'ac' in big %}{% endif %}{% endfor %}",
        "{% for a in range(100000) if a is odd and a is even %}{% endfor %}"
            + String(repeating: "{{ range(100000) | sum }}", count: 400)
            + "{% for a in range(100000) %}{% for b in range(100000) if false %}{% endfor %}{% endfor %}",
        // Stack.
        "{% macro f(x) %}{{ f(x + 1) }}{% endmacro %}{{ f(0) }}",
        "{% macro f() %}{{ caller }}{% call f() %}{% endcall %}{% endmacro %}{{ f() }}",
        "{% for x in [[1]] recursive %}{{ loop([[1]]) }}{% endfor %}",
        "{% set ns = namespace(x=[]) %}{% for i in range(10000) %}{% set ns.x = [ns.x] %}{% endfor %}{{ ns.x }}",
        "{% set ns = namespace(x='') %}{% for i in range(10000) %}{% set ns.x = {'a': ns.x} %}{% endfor %}{{ ns.x }}",
        "{% set ns = namespace(x='') %}{% for i in range(10000) %}{% set ns.x = (ns.x,).index %}{% endfor %}",
        "{% set ns = namespace(x=[]) %}{% for i in range(10000) %}{% set ns.x = ns.x | map('upper') %}{% endfor %}{{ ns.x | list }}",
        "{% set ns = namespace(x=[]) %}{% for i in range(10000) %}{% for a in [ns.x] %}{% set ns.x = loop %}{% endfor %}{% endfor %}",
        // Memory.
        "{{ 'x' * 1000000000 }}", "{{ ['x'] * 1000000000 }}", "{{ (1,) * 9000000000000000000 }}",
        "{% set ns = namespace(s='x') %}{% for i in range(100) %}{% set ns.s = ns.s + ns.s %}{% endfor %}{{ ns.s }}",
        "{% set ns = namespace(s='x') %}{% for i in range(100) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}{{ ns.s }}",
        "{% set ns = namespace(s=[1]) %}{% for i in range(100) %}{% set ns.s = ns.s + ns.s %}{% endfor %}{{ ns.s }}",
        "{% set ns = namespace(s=[1]) %}{% for i in range(100) %}{% set ns.s = [ns.s, ns.s] %}{% endfor %}{{ ns.s }}",
        "{% set x = 'x' * 1000000 %}{{ x.replace('x', x) }}", "{% set x = 'x' * 1000000 %}{{ x | replace('x', x) }}",
        "{% set x = 'x' * 1000000 %}{{ x.join(x) }}", "{% set x = 'x' * 1000000 %}{{ [x] * 1000 }}",
        "{% set x = 'x' * 1000000 %}{{ ([x] * 60) | tojson(indent=10000000) }}",
        "{{ 'x'.ljust(1000000000) }}", "{{ 'x'.zfill(9223372036854775807) }}", "{{ '\\t'.expandtabs(1000000000) }}",
        "{{ '%1000000000d' % 1 }}", "{{ '%.1000000000f' % 1 }}", "{{ '%.1000000000d' % 1 }}",
        "{{ '{:1000000000}'.format(1) }}",
        "{{ '{:.1000000000f}'.format(1.0) }}", "{{ '{:01000000000,}'.format(1) }}",
        "{{ 'x' | indent(1000000000, true) }}",
        "{{ 'x' | center(1000000000) }}", "{{ [1] | batch(1000000000, 1) | list }}",
        "{{ [1] | slice(1000000000) | list }}",
        "{{ [1] | tojson(indent=1000000000) }}", "{% for i in range(100000) %}{{ 'x' * 100000 }}{% endfor %}",
        "{% for i in range(100000) %}{% set x = 'x' * 1000000 %}{% endfor %}",
        "{{ strftime_now('%c' * 10000) }}",
    ])
    func isBounded(source: String) {
        let error = error(source)
        #expect(error?.kind == .limit, "\(source.prefix(80)): \(error?.description ?? "no error")")
    }

    @Test func deepNestingIsRefusedOrWorks() {
        for count in [10, 100, 119, 200, 399, 500, 5_000, 100_000] {
            func times(_ text: String) -> String { String(repeating: text, count: count) }
            for source in [
                "{{ \(times("("))1\(times(")")) }}", "{{ \(times("["))\(times("]")) }}", "{{ \(times("-"))1 }}",
                "{{ \(times("not "))1 }}", "{{ 1\(times(" + 1")) }}", "{{ 1\(times(" or 1")) }}",
                "{{ 1\(times(" ~ 1")) }}",
                "{{ x\(times(".x")) }}", "{{ x\(times("[0]")) }}", "{{ x\(times("()")) }}", "{{ x\(times("|abs")) }}",
                "{{ 1\(times(" if 1 else 1")) }}", "{{ 1\(times(" if 1")) }}", "{{ \(times("{1: "))1\(times("}")) }}",
                "{{ x\(times("[")) }}", "{{ 1\(times(" < 1")) }}", "{{ x\(times(" is eq 1")) }}",
                "{{ x\(times("(x")) }}",
                times("{% if 1 %}") + times("{% endif %}"), times("{% for x in [1] %}") + times("{% endfor %}"),
                times("{% set x %}") + times("{% endset %}"), times("{% macro x() %}") + times("{% endmacro %}"),
                "{% set \(times("("))x\(times(")")) = 1 %}", "{% if 1 %}" + times("{% elif 1 %}") + "{% endif %}",
                "{% filter trim\(times("|trim")) %}{% endfilter %}", times("{% filter trim %}"), times("{"),
                times("{{"),
                "{{ \(times("'x' ")) }}", "{{ '\(times("{"))'.format(1) }}", "{{ '%\(times("("))' % {} }}",
            ] {
                if case .failure(let error) = outcome(source) { #expect(!error.message.isEmpty) }
            }
        }
    }

    @Test func deepMessagesAreRefused() throws {
        var json: JSON = 1
        for _ in 0..<400 { json = [json] }
        let template = try ChatTemplate(source: "{{ messages | tojson }}")
        #expect(throws: ChatError.self) { try template.render(messages: json) }
    }

    @Test func macrosMayRecurseAsDeeplyAsInPython() throws {
        let source =
            "{% macro f(n) %}{% if n > 0 %}{% for i in [1] %}{{ f(n - 1) }}{% endfor %}{% endif %}.{% endmacro %}{{ f(150) }}"
        #expect(try outcome(source).get() == String(repeating: ".", count: 151))
    }

    /// Bytes of real snippets changed, lost, doubled and exchanged.
    @Test func damagedTemplatesNeverCrash() throws {
        let seeds = try Snippets.all().map { Array($0.source.utf8) }
        var random = RandomSource(seed: 7)
        for _ in 0..<4_000 {
            var bytes = seeds[random.below(seeds.count)]
            for _ in 0..<random.below(6) where !bytes.isEmpty {
                let position = random.below(bytes.count)
                switch random.below(5) {
                case 0: bytes[position] = UInt8(random.below(256))
                case 1: bytes.remove(at: position)
                case 2:
                    bytes.insert("{}%#-+()[]|.,'\"~=*/<> \n\\".utf8.randomElement(using: &random) ?? 0, at: position)
                case 3:
                    bytes.insert(
                        contentsOf: bytes[position..<min(bytes.count, position + random.below(20))], at: position)
                default:
                    let other = seeds[random.below(seeds.count)]
                    bytes.replaceSubrange(position..., with: other[random.below(other.count + 1)...])
                }
            }
            if case .failure(let error) = outcome(String(decoding: bytes, as: UTF8.self)) {
                #expect(!error.message.isEmpty)
            }
        }
    }
}

/// Numbers that are the same in every run.
struct RandomSource: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    /// SplitMix64.
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }

    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
}
