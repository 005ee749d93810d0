package sandbox

import (
	"path/filepath"
	"sort"
	"strconv"
	"time"

	"crosslift/schemas/table"
)

// output holds one open file for every stream and day. Rows outside the days are dropped: they lie in the future.
type output struct {
	start                        time.Time   // of the first day
	bounds                       []time.Time // the ends of the days, which may have 23 or 25 hours
	exposures, payments, viewing []*file
	line                         []byte
	err                          error // the first one
}

func newOutput(dir string, o Options) (*output, error) {
	out := &output{start: o.First.Window(o.Zone).From}
	for i := range o.Days {
		d := o.First + table.Day(i)
		out.bounds = append(out.bounds, d.Window(o.Zone).To)
		for _, s := range []struct {
			files                *[]*file
			name, suffix, header string
		}{
			{&out.exposures, "exposures", ".jsonl.gz", ""},
			{&out.payments, "payments", ".csv", "id,paid_at,account,amount,currency,status,plan\n"},
			{&out.viewing, "viewing", ".csv.gz", "id,viewed_at,account,title,seconds\n"},
		} {
			f, err := newFile(filepath.Join(dir, s.name), d.String()+s.suffix, s.header)
			if err != nil {
				out.abort()
				return nil, err
			}
			*s.files = append(*s.files, f)
		}
	}
	return out, nil
}

func (out *output) all() []*file {
	return append(append(append([]*file(nil), out.exposures...), out.payments...), out.viewing...)
}

// brokenEvery is how many rows stand between two broken ones in a file: far below a quarantine's threshold.
const brokenEvery = 1500

// write puts a row into the file of its day and, now and then, a broken copy of it beside it.
func (out *output) write(files []*file, at time.Time, row func(line []byte, broken bool) []byte) {
	if at.Before(out.start) {
		return
	}
	i := sort.Search(len(out.bounds), func(i int) bool { return at.Before(out.bounds[i]) })
	if i == len(files) || out.err != nil {
		return
	}
	f := files[i]
	out.line = row(out.line[:0], false)
	if f.rows++; f.rows%brokenEvery == 200 {
		out.line = row(out.line, true)
	}
	out.err = f.write(out.line)
}

func (out *output) exposure(at time.Time, account, variant, device, platform, country string) {
	out.write(out.exposures, at, func(b []byte, broken bool) []byte {
		b = append(b, `{"id":"e-`...)
		b = append(b, device...)
		b = append(b, '-')
		b = strconv.AppendInt(b, at.Unix(), 10)
		b = append(b, `","exposed_at":"`...)
		if broken {
			b = append(b, "yesterday"...)
		} else {
			b = at.UTC().AppendFormat(b, time.RFC3339)
		}
		b = append(b, `","experiment":"`+experimentName+`","variant":"`...)
		b = append(b, variant...)
		b = append(b, `","account":"`...)
		b = append(b, account...)
		b = append(b, `","device":"`...)
		b = append(b, device...)
		b = append(b, `","platform":"`...)
		b = append(b, platform...)
		b = append(b, `","country":"`...)
		b = append(b, country...)
		return append(b, "\"}\n"...)
	})
}

func (out *output) payment(at time.Time, account string, minor int64, currency, status, plan string) {
	out.write(out.payments, at, func(b []byte, broken bool) []byte {
		b = append(b, "p-"...)
		b = append(b, account...)
		b = append(b, '-')
		b = strconv.AppendInt(b, at.Unix(), 10)
		b = append(b, ',')
		b = at.UTC().AppendFormat(b, time.RFC3339)
		b = append(b, ',')
		b = append(b, account...)
		b = append(b, ',')
		if broken {
			b = append(b, "unknown"...)
		} else {
			b = strconv.AppendInt(b, minor/100, 10)
			b = append(b, '.', byte('0'+minor/10%10), byte('0'+minor%10))
		}
		for _, field := range [...]string{currency, status, plan} {
			b = append(b, ',')
			b = append(b, field...)
		}
		return append(b, '\n')
	})
}

func (out *output) view(at time.Time, account string, title int, seconds int64) {
	out.write(out.viewing, at, func(b []byte, broken bool) []byte {
		b = append(b, "v-"...)
		b = append(b, account...)
		b = append(b, '-')
		b = strconv.AppendInt(b, at.Unix(), 10)
		b = append(b, ',')
		b = strconv.AppendInt(b, at.Unix(), 10)
		b = append(b, ',')
		b = append(b, account...)
		b = append(b, ",title-"...)
		b = strconv.AppendInt(b, int64(title), 10)
		b = append(b, ',')
		if !broken {
			b = strconv.AppendInt(b, seconds, 10)
		}
		return append(b, '\n')
	})
}

// commit completes every file, then gives each its name.
func (out *output) commit() error {
	for _, f := range out.all() {
		if err := f.complete(); err != nil {
			return err
		}
	}
	for _, f := range out.all() {
		if err := f.publish(); err != nil {
			return err
		}
	}
	return nil
}

// abort removes what was not given its name.
func (out *output) abort() {
	for _, f := range out.all() {
		f.abort()
	}
}
