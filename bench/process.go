package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

// cpuTime is the CPU time that a process has spent, in user and system mode. It
// is what /proc/PID/stat tells, from the same counter but in nanoseconds
// instead of hundredths of a second: clock_getcpuclockid(3).
func cpuTime(pid int) (time.Duration, error) {
	const schedClock = 2
	id := uintptr(uint32(^pid<<3 | schedClock))
	var at syscall.Timespec
	if _, _, errno := syscall.Syscall(syscall.SYS_CLOCK_GETTIME, id, uintptr(unsafe.Pointer(&at)), 0); errno != 0 {
		return 0, fmt.Errorf("the CPU clock of process %d: %w", pid, errno)
	}
	return time.Duration(at.Nano()), nil
}

// proc reads one number from a file of /proc/PID that has a name before each
// number.
func proc(pid int, file, name string) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, file))
	if err != nil {
		return 0, err
	}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		key, value, _ := strings.Cut(lines.Text(), ":")
		if key == name {
			return strconv.ParseInt(strings.Fields(value)[0], 10, 64)
		}
	}
	return 0, fmt.Errorf("/proc/%d/%s does not tell %s", pid, file, name)
}

// written is how many bytes a process has caused to be written to storage.
func written(pid int) (int64, error) { return proc(pid, "io", "write_bytes") }

// resident is the memory that a process has, in bytes.
func resident(pid int) (int64, error) {
	kb, err := proc(pid, "status", "VmRSS")
	return kb << 10, err
}
