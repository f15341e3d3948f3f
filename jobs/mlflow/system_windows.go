package mlflow

import (
	"context"
	"os"
	"unsafe"

	"golang.org/x/sys/windows"
)

var (
	kernel32             = windows.NewLazySystemDLL("kernel32.dll")
	getSystemTimes       = kernel32.NewProc("GetSystemTimes")
	globalMemoryStatusEx = kernel32.NewProc("GlobalMemoryStatusEx")
	iphlpapi             = windows.NewLazySystemDLL("iphlpapi.dll")
	freeMibTable         = iphlpapi.NewProc("FreeMibTable")
)

// memoryStatus is MEMORYSTATUSEX.
type memoryStatus struct {
	length, load                                               uint32
	total, available                                           uint64
	totalPage, freePage, totalVirtual, freeVirtual, freeExtend uint64
}

// readSystem samples the machine by the Windows API.
func readSystem(context.Context) sample {
	s := emptySample()
	var idle, kernel, user windows.Filetime
	if ok, _, _ := getSystemTimes.Call(uintptr(unsafe.Pointer(&idle)), uintptr(unsafe.Pointer(&kernel)), uintptr(unsafe.Pointer(&user))); ok != 0 {
		ticks := func(t windows.Filetime) float64 { return float64(uint64(t.HighDateTime)<<32 | uint64(t.LowDateTime)) }
		s.cpuTotal = ticks(kernel) + ticks(user) // kernel time holds the idle time
		s.cpuBusy = s.cpuTotal - ticks(idle)
	}
	m := memoryStatus{length: uint32(unsafe.Sizeof(memoryStatus{}))}
	if ok, _, _ := globalMemoryStatusEx.Call(uintptr(unsafe.Pointer(&m))); ok != 0 {
		s.memoryTotal, s.memoryUsed = float64(m.total), float64(m.total-m.available)
	}
	drive := os.Getenv("SystemDrive")
	if drive == "" {
		drive = "C:"
	}
	if path, err := windows.UTF16PtrFromString(drive + `\`); err == nil {
		var free, total, all uint64
		if windows.GetDiskFreeSpaceEx(path, &free, &total, &all) == nil {
			s.diskUsed, s.diskFree = float64(total-all), float64(free)
		}
	}
	var table *windows.MibIfTable2
	if windows.GetIfTable2Ex(windows.MibIfEntryNormal, &table) == nil {
		s.networkReceived, s.networkSent = 0, 0
		for _, row := range unsafe.Slice(&table.Table[0], table.NumEntries) {
			s.networkReceived += float64(row.InOctets)
			s.networkSent += float64(row.OutOctets)
		}
		freeMibTable.Call(uintptr(unsafe.Pointer(table)))
	}
	return s
}
