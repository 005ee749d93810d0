package files_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"crosslift/connectors"
	"crosslift/connectors/connectorstest"
	"crosslift/connectors/files"
)

// nowhere drops what it gets.
type nowhere struct {
	connectorstest.Discard
	rows int
}

func (n *nowhere) Row(any, connectors.Origin) error { n.rows++; return nil }
func (n *nowhere) Reject(_ connectors.Origin, reason string) error {
	return errors.New(reason)
}

func benchmarkRows(n int) (csv, json string) {
	var c, j strings.Builder
	c.WriteString("id,at,user,amount,status,plan\n")
	for i := range n {
		at := fmt.Sprintf("2026-11-03 %02d:%02d:%02d", i/3600%24, i/60%60, i%60)
		fmt.Fprintf(&c, "p%d,%s,user-%d,%d.%02d,succeeded,family\n", i, at, i%20000, i%1000, i%100)
		fmt.Fprintf(&j, `{"id":"p%d","at":"%s","user":"user-%d","amount":%d.%02d,"status":"succeeded","plan":"family"}`+"\n", i, at, i%20000, i%1000, i%100)
	}
	return c.String(), j.String()
}

// BenchmarkReader reads rows; BenchmarkExtract also maps, hashes and checks the file's sum.
func BenchmarkReader(b *testing.B) {
	const n = 100_000
	csv, json := benchmarkRows(n)
	for name, content := range map[string]string{"in.csv": csv, "in.csv.gz": gzipped(csv), "in.csv.zst": zstded(csv), "in.jsonl": json} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				r, err := files.NewReader(context.Background(), strings.NewReader(content), int64(len(content)), name, files.Format{})
				if err != nil {
					b.Fatal(err)
				}
				if err := r.Select("id", "at", "user", "amount", "status", "plan"); err != nil {
					b.Fatal(err)
				}
				rows := 0
				for ; err == nil; rows++ {
					_, err = r.Next()
				}
				if err != io.EOF || rows != n+1 {
					b.Fatal(rows, err)
				}
				r.Close()
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

func BenchmarkExtract(b *testing.B) {
	const n = 100_000
	csv, json := benchmarkRows(n)
	for name, content := range map[string]string{"in.csv": csv, "in.csv.gz": gzipped(csv), "in.jsonl": json} {
		b.Run(name, func(b *testing.B) {
			s := stream(b, fmt.Sprintf(payments, name), folder(b, map[string]string{name: content}), "UTC")
			ctx, d := context.Background(), day(b, "2026-11-03")
			inputs, err := s.Inputs(ctx, d)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				to := &nowhere{}
				if err := s.Extract(ctx, d, inputs, to); err != nil || to.rows != n {
					b.Fatal(to.rows, err)
				}
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
