package mlflow

import (
	"math"
	"regexp"
	"strconv"
	"strings"
)

// parseProcStat reads the first line of /proc/stat: busy and total time in ticks.
func parseProcStat(text string) (busy, total float64) {
	line, _, _ := strings.Cut(text, "\n")
	f := strings.Fields(line)
	if len(f) < 5 || f[0] != "cpu" {
		return math.NaN(), math.NaN()
	}
	// user nice system idle iowait irq softirq steal; guest times are within user and nice.
	for i, s := range f[1:min(len(f), 9)] {
		v, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return math.NaN(), math.NaN()
		}
		total += v
		if i != 3 && i != 4 {
			busy += v
		}
	}
	return busy, total
}

// parseMeminfo reads /proc/meminfo: used and total bytes; used is what is not available, as psutil has it.
func parseMeminfo(text string) (used, total float64) {
	values := map[string]float64{}
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) < 2 {
			continue
		}
		if v, err := strconv.ParseFloat(f[1], 64); err == nil {
			values[strings.TrimSuffix(f[0], ":")] = v * 1024
		}
	}
	total, ok := values["MemTotal"]
	if !ok {
		return math.NaN(), math.NaN()
	}
	available, ok := values["MemAvailable"]
	if !ok {
		available = values["MemFree"] + values["Buffers"] + values["Cached"]
	}
	return total - available, total
}

// parseNetDev reads /proc/net/dev: bytes of all interfaces.
func parseNetDev(text string) (received, sent float64) {
	found := false
	for line := range strings.Lines(text) {
		i := strings.LastIndexByte(line, ':')
		if i < 0 {
			continue
		}
		f := strings.Fields(line[i+1:])
		if len(f) < 9 {
			continue
		}
		in, err1 := strconv.ParseFloat(f[0], 64)
		out, err2 := strconv.ParseFloat(f[8], 64)
		if err1 == nil && err2 == nil {
			found = true
			received += in
			sent += out
		}
	}
	if !found {
		return math.NaN(), math.NaN()
	}
	return received, sent
}

var (
	vmPageSize = regexp.MustCompile(`page size of (\d+) bytes`)
	vmLine     = regexp.MustCompile(`(?m)^(Pages active|Pages wired down|Pages occupied by compressor):\s+(\d+)\.`)
	topCPU     = regexp.MustCompile(`CPU usage: ([0-9.]+)% user, ([0-9.]+)% sys`)
)

// parseVMStat reads macOS's vm_stat: bytes that are active, wired or compressed.
func parseVMStat(text string) float64 {
	m := vmPageSize.FindStringSubmatch(text)
	if m == nil {
		return math.NaN()
	}
	page, err := strconv.ParseFloat(m[1], 64)
	if err != nil {
		return math.NaN()
	}
	used := 0.0
	for _, line := range vmLine.FindAllStringSubmatch(text, -1) {
		if v, err := strconv.ParseFloat(line[2], 64); err == nil {
			used += v * page
		}
	}
	return used
}

// parseTop reads the last sample of macOS's top -l 2: percent of all processors.
func parseTop(text string) float64 {
	all := topCPU.FindAllStringSubmatch(text, -1)
	if len(all) == 0 {
		return math.NaN()
	}
	last := all[len(all)-1]
	user, err1 := strconv.ParseFloat(last[1], 64)
	sys, err2 := strconv.ParseFloat(last[2], 64)
	if err1 != nil || err2 != nil {
		return math.NaN()
	}
	return user + sys
}

// parseNetstat reads macOS's netstat -ibn: the link line of each interface, counted from its end because
// an interface may lack an address.
func parseNetstat(text string) (received, sent float64) {
	found := false
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) < 10 || !strings.HasPrefix(f[2], "<Link#") {
			continue
		}
		in, err1 := strconv.ParseFloat(f[len(f)-5], 64)
		out, err2 := strconv.ParseFloat(f[len(f)-2], 64)
		if err1 == nil && err2 == nil {
			found = true
			received += in
			sent += out
		}
	}
	if !found {
		return math.NaN(), math.NaN()
	}
	return received, sent
}
