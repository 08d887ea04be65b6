import Testing

/// A program that breaks a rule, and how it is told.
struct Rule: Sendable, CustomTestStringConvertible {
    enum End {
        /// A violation: the call gives an error, or in strict mode the process ends.
        case violation
        /// What a real device might not be able to do either: an error in both modes.
        case refusal
        /// A memory fault: the process ends in both modes.
        case fault
    }
    let scenario: String
    let end: End
    let messages: [String]

    init(_ scenario: String, _ end: End = .violation, _ messages: String...) {
        self.scenario = scenario
        self.end = end
        self.messages = messages
    }
    var testDescription: String { scenario }

    static let all = [
        Rule("argument_index", .violation, "kernel \"vadd\" has 4 arguments, there is no argument 4"),
        Rule(
            "argument_size", .violation, "argument 3 of kernel \"vadd\" is a value (int32) of 4 bytes, but argSize is 8"
        ),
        Rule(
            "argument_pointer_size", .violation,
            "argument 0 of kernel \"vadd\" is a pointer of 8 bytes, but argSize is 4"),
        Rule("argument_no_value", .violation, "is a value (int32), but pArgValue is NULL"),
        Rule("argument_malloc", .violation, "is in no allocation of this driver"),
        Rule("argument_freed", .violation, "points into device allocation #4 (64 bytes), which was freed"),
        Rule(
            "argument_past_end", .violation, "bytes 256 to 256 are not all inside of device allocation #1 (256 bytes)"),
        Rule("argument_alignment", .violation, "points at elements aligned to 16 bytes"),
        Rule("argument_local_value", .violation, "is local memory: pArgValue must be NULL"),
        Rule("argument_missing", .violation, "argument 1 of kernel \"scale\" was never set"),
        Rule("argument_freed_later", .violation, "uses device allocation #4 (256 bytes), which was freed"),
        Rule("kernel_destroyed_later", .violation, "uses kernel \"scale\", which was destroyed"),
        Rule("event_destroyed_later", .violation, "uses event #1, which was destroyed"),
        Rule("group_size_missing", .violation, "has no group size; call zeKernelSetGroupSize first"),
        Rule("group_size_large", .violation, "makes 2048 work-items; on dg2 at most 1024 fit"),
        Rule("group_size_zero", .violation, "group size [64, 0, 1] has a zero"),
        Rule("group_size_required", .violation, "was compiled for group size [32, 1, 1], not [64, 1, 1]"),
        Rule("group_size_large_registers", .violation, "at most 512 fit (sub-group size 8, large registers)"),
        Rule("group_partial", .violation, "must fill sub-groups of 8"),
        Rule("group_count_zero", .violation, "group count [4, 0, 1] has a zero"),
        Rule("local_memory_limit", .violation, "takes 73728 bytes of local memory; dg2 has 65536", "66560 bytes"),
        Rule("list_open", .violation, "is open; call zeCommandListClose"),
        Rule("list_closed", .violation, "is closed; call zeCommandListReset"),
        Rule("list_closed_twice", .violation, "is closed already"),
        Rule("list_reset_running", .violation, "zeCommandListReset: command list #1 is still executing"),
        Rule("list_destroy_running", .violation, "zeCommandListDestroy: command list #1 is still executing"),
        Rule("list_execute_running", .violation, "is still executing; wait for it before it is executed again"),
        Rule("queue_destroy_running", .violation, "on command queue #1 is not complete; synchronize first"),
        Rule("kernel_destroy_running", .violation, "zeKernelDestroy: kernel \"vadd\" is used by"),
        Rule("memory_free_running", .violation, "zeMemFree: device allocation #1 (256 bytes) is used by"),
        Rule("event_destroy_running", .violation, "zeEventDestroy: event #1 is used by"),
        Rule(
            "list_copies_only", .violation, "queue group 1, which only copies",
            "queue group 1, command queue #1 is of group 0"),
        Rule("list_immediate", .violation, "is never closed or reset", "it executes by itself"),
        Rule("queue_ordinal", .violation, "desc->ordinal is 7, but dg2 has 2 queue groups"),
        Rule("handle_stale", .violation, "hCommandList is command list #2, which was destroyed"),
        Rule("handle_kind", .violation, "hCommandList is command queue #1, but must be a handle of: command list"),
        Rule("handle_garbage", .violation, "which is no handle of this driver"),
        Rule("handle_null", .violation, "hCommandList is NULL"),
        Rule("structure_type", .violation, "desc->stype is 0x0, must be 0x10"),
        Rule("context_in_use", .violation, "context #1 still has command queue #1"),
        Rule("module_in_use", .violation, "module #1 still has 1 kernels"),
        Rule("memory_freed_twice", .violation, "was freed before"),
        Rule("memory_free_inside", .violation, "ptr is not the start of device allocation #1 (256 bytes): off by 4"),
        Rule("memory_alignment", .violation, "alignment is 48, must be 0 or a power of two"),
        Rule("memory_size", .refusal, "more than maxMemAllocSize", "18253611008 bytes asked for"),
        Rule("copy_past_end", .violation, "dstptr: bytes 0 to 256 are not all inside of device allocation #1"),
        Rule("copy_overlap", .violation, "the source and the destination of 32 bytes overlap"),
        Rule("fill_pattern", .violation, "pattern_size is 12", "size 10 is no multiple of pattern_size 4"),
        Rule("memory_overrun", .violation, "something wrote 1 bytes past the end of shared allocation #4 (100 bytes)"),
        Rule(
            "host_reads_device", .fault,
            "the host: read at byte 0 of device allocation #1 (256 bytes), which only the device"),
        Rule("host_writes_device", .fault, "the host: write at byte 0 of device allocation #1"),
        Rule(
            "host_uses_freed", .fault, "the host: write at byte 4 of shared allocation #4 (64 bytes), which was freed"),
        Rule(
            "kernel_past_end", .fault,
            "(kernel \"poke\"), command 1 of command list #1: write 0 bytes past the end of device"),
        Rule("kernel_before_start", .fault, "write 4 bytes before the start of device allocation #4"),
        Rule("kernel_not_resident", .fault, "which is no argument of it: call zeKernelSetIndirectAccess"),
        Rule(
            "event_index", .violation, "index 1 of event pool #1 is taken by event #1", "has room for 2",
            "still has 1 events"),
        Rule("event_hidden", .violation, "is not visible to the host", "has no time stamps"),
        Rule("event_unstamped", .violation, "event #1 was signalled by the host"),
        Rule("event_never_signalled", .violation, "event #1, but nothing is submitted that would end it"),
        Rule("event_deadlock", .violation, "command 1 of command list #1 waits for event #1, and nothing has happened"),
        Rule("event_self", .violation, "waits for event #1, which it signals itself"),
        Rule("event_not_reset", .violation, "event #1 is still signalled from the list's last execution"),
        Rule("fence_signalled", .violation, "fence #1 is signalled already", "still has fence #1"),
        Rule("fence_foreign", .violation, "fence #1 was made for command queue #2, not command queue #1"),
        Rule(
            "module_unsized", .refusal,
            "kernel \"unsized\" calls matrix functions for sub-groups of 8, but requires no sub-group size"),
        Rule(
            "module_matrix_size", .refusal, "is for sub-groups of 16; the matrix engine of dg2 works in sub-groups of 8"
        ),
        Rule("module_missing", .refusal, "function nowhere is imported and defined nowhere"),
        Rule("module_doubles", .refusal, "the module uses double (capability Float64), which dg2 lacks"),
        Rule("module_flag", .refusal, "build flag \"-fast\" is not known"),
        Rule(
            "module_truncated", .refusal, "the instruction at word 5 does not end inside of the module", "spirv-val: "),
        Rule("module_invalid", .refusal, "spirv-val: "),
        Rule("module_garbage", .refusal, "not SPIR-V's"),
        Rule("kernel_name", .violation, "has no kernel \"vsub\"; it has vadd, scale"),
    ]
}

@Suite struct RuleTests {
    static let aborted: Int32 = -6

    @Test(arguments: Rule.all)
    func `A broken rule gives an error and one line that names it`(rule: Rule) throws {
        guard let device = SoftDevice.find() else { return }
        let result = try device.run(rule.scenario, ["SOFTXPU_STRICT": "0"])
        #expect(result.lines.count == rule.messages.count, "\(result.text)")
        for (line, message) in zip(result.lines, rule.messages) {
            #expect(line.hasPrefix("softxpu: ") && line.contains(message), "\(result.text)")
        }
        if rule.end == .fault {
            #expect(result.status == Self.aborted, "\(result.text)")
        } else {
            #expect(result.status == 0 && result.output == "done\n", "\(result.text)")
        }
    }

    @Test(arguments: Rule.all)
    func `In strict mode a broken rule ends the process`(rule: Rule) throws {
        guard let device = SoftDevice.find() else { return }
        let result = try device.run(rule.scenario)
        #expect(result.lines.first?.contains(rule.messages[0]) == true, "\(result.text)")
        if rule.end == .refusal {
            #expect(result.status == 0 && result.output == "done\n", "\(result.text)")
        } else {
            #expect(result.status == Self.aborted && result.lines.count == 1, "\(result.text)")
        }
    }

    @Test func `A command reaches only the memory that it names, where that is asked for`() throws {
        guard let device = SoftDevice.find() else { return }
        let usual = try device.run("kernel_not_named")
        #expect(usual.status == 0 && usual.lines.isEmpty, "\(usual.text)")
        let careful = try device.run("kernel_not_named", ["SOFTXPU_PROTECT": "2"])
        #expect(careful.status == Self.aborted && careful.lines.count == 1, "\(careful.text)")
        #expect(careful.lines.first?.contains("call zeKernelSetIndirectAccess") == true, "\(careful.text)")
        let careless = try device.run("host_reads_device", ["SOFTXPU_PROTECT": "0"])
        #expect(careless.status == 0, "\(careless.text)")
        for scenario in RunTests.scenarios {
            let result = try device.run(scenario, ["SOFTXPU_PROTECT": "2"])
            #expect(result.status == 0 && result.lines.isEmpty, "\(scenario): \(result.text)")
        }
    }

    @Test func `Profiles differ in what they refuse`() throws {
        guard let device = SoftDevice.find() else { return }
        func lines(_ scenario: String, _ profile: String) throws -> String {
            let variables = ["SOFTXPU_PROFILE": profile, "SOFTXPU_STRICT": "0", "SOFTXPU_LEAKS": "off"]
            return try device.run(scenario, variables).lines.joined(separator: "\n")
        }
        // 72 KB of local memory, double, and the matrix functions for sub-groups of 16 are there on PVC.
        #expect(try lines("local_memory_limit", "pvc").contains("gave 0x0, not"))
        #expect(try lines("module_doubles", "pvc").contains("gave 0x0, not"))
        #expect(try lines("module_matrix_size", "pvc").contains("gave 0x0, not"))
        #expect(try lines("group_partial", "pvc").contains("works in sub-groups of 16"))
        #expect(try lines("group_partial", "tgl").contains("needs a matrix engine, which tgl lacks"))
    }

    @Test func `Commands that are not complete when the process ends are named`() throws {
        guard let device = SoftDevice.find() else { return }
        let result = try device.run("abandoned")
        #expect(result.status == 97 && result.output == "done\n", "\(result.text)")
        #expect(result.lines.first?.contains("was submitted and is not complete") == true, "\(result.text)")
    }

    @Test func `What is left behind is listed at exit`() throws {
        guard let device = SoftDevice.find() else { return }
        let failing = try device.run("leak")
        #expect(failing.status == 97 && failing.output == "done\n", "\(failing.text)")
        for left in [
            "context #1", "command queue #1", "command list #1", "module #1", "kernel \"vadd\"", "device allocation #3",
        ] {
            #expect(failing.lines.contains { $0.hasPrefix("softxpu: at exit: \(left)") }, "\(left): \(failing.text)")
        }
        let reporting = try device.run("leak", ["SOFTXPU_LEAKS": "report"])
        #expect(reporting.status == 0 && reporting.lines == failing.lines, "\(reporting.text)")
        let silent = try device.run("leak", ["SOFTXPU_LEAKS": "off"])
        #expect(silent.status == 0 && silent.lines.isEmpty, "\(silent.text)")
    }
}
