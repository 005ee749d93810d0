package exact

import (
	"encoding/binary"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"
)

// exactly is Σ x as math/big adds it, rounded once.
func exactly(terms []float64) float64 {
	sum := new(big.Rat)
	for _, x := range terms {
		sum.Add(sum, new(big.Rat).SetFloat64(x))
	}
	f, _ := sum.Float64()
	return f
}

func squares(terms []float64) float64 {
	sum := new(big.Rat)
	for _, x := range terms {
		r := new(big.Rat).SetFloat64(x)
		sum.Add(sum, r.Mul(r, r))
	}
	f, _ := sum.Float64()
	return f
}

func same(a, b float64) bool {
	return math.Float64bits(a) == math.Float64bits(b) || a == 0 && b == 0 // big.Rat has no negative zero
}

// nasty draws terms of wildly different size that cancel.
func nasty(r *rand.Rand, n int) []float64 {
	terms := make([]float64, 0, n)
	for len(terms) < n {
		var x float64
		switch r.IntN(8) {
		case 0:
			x = math.MaxFloat64
		case 1:
			x = float64(r.IntN(100)) * math.SmallestNonzeroFloat64
		case 2:
			x = float64(r.IntN(2000)) / 100
		case 3:
			x = math.Ldexp(1, r.IntN(2098)-1074)
		case 4:
			if len(terms) > 0 {
				x = -terms[r.IntN(len(terms))]
			}
		default:
			for x = math.NaN(); math.IsNaN(x) || math.IsInf(x, 0); {
				x = math.Float64frombits(r.Uint64())
			}
		}
		if r.IntN(2) == 0 {
			x = -x
		}
		terms = append(terms, x)
	}
	return terms
}

func TestSumIsTheRoundedExactSum(t *testing.T) {
	t.Parallel()
	least := math.SmallestNonzeroFloat64
	for name, terms := range map[string][]float64{
		"nothing":                   {},
		"one term":                  {0.1},
		"tenths":                    slices.Repeat([]float64{0.1}, 10),
		"cancels to the small":      {1e308, 1, -1e308},
		"past the largest and back": {math.MaxFloat64, math.MaxFloat64, -math.MaxFloat64},
		"overflows":                 {math.MaxFloat64, math.MaxFloat64},
		"overflows downwards":       {-math.MaxFloat64, -math.MaxFloat64},
		"denormals":                 {least, least, -3 * least},
		"a tie goes to even":        {1, 0x1p-53},
		"a tie broken far below":    {1, 0x1p-53, least},
		"a tie broken from below":   {1, 0x1p-53, -least},
		"denormal tie":              {0x1p-1022, least},
		"negative":                  {-1, 0x1p-80},
	} {
		var sum Sum
		for _, x := range terms {
			sum.Add(x)
		}
		if got, want := sum.Float64(), exactly(terms); !same(got, want) {
			t.Errorf("%s: %g instead of %g", name, got, want)
		}
	}
}

func TestSumDependsOnNeitherOrderNorPartitions(t *testing.T) {
	t.Parallel()
	const seed = 1
	r := rand.New(rand.NewPCG(seed, 0))
	for round := range 300 {
		terms := nasty(r, 1+r.IntN(60))
		want, wantSquares := exactly(terms), squares(terms)
		r.Shuffle(len(terms), func(i, j int) { terms[i], terms[j] = terms[j], terms[i] })
		parts := make([][2]Sum, 1+r.IntN(5))
		for _, x := range terms {
			part := &parts[r.IntN(len(parts))]
			part[0].Add(x)
			part[1].AddProduct(x, x)
		}
		var sum, square Sum
		for i := range parts {
			sum.Merge(&parts[i][0])
			square.Merge(&parts[i][1])
		}
		if got := sum.Float64(); !same(got, want) {
			t.Fatalf("seed %d round %d: sum %g instead of %g of %v", seed, round, got, want, terms)
		}
		if got := square.Float64(); !same(got, wantSquares) {
			t.Fatalf("seed %d round %d: squares %g instead of %g of %v", seed, round, got, wantSquares, terms)
		}
	}
}

func TestProductsOfDifferentSigns(t *testing.T) {
	t.Parallel()
	var sum Sum
	sum.AddProduct(-3, 5)
	sum.AddProduct(0x1p-1074, 0x1p-1074)
	sum.AddProduct(3, 5)
	want := new(big.Int).SetInt64(1) // 2^-2148, scaled
	if got := sum.Int(); got.Cmp(want) != 0 {
		t.Errorf("%v instead of %v", got, want)
	}
}

func TestCarriesResolveInTime(t *testing.T) {
	t.Parallel()
	var sum Sum
	sum.Add(-math.MaxFloat64)
	sum.pending = maxPending - 5 // as after half a milliard of terms
	for range 10 {
		sum.Add(1.5)
	}
	if sum.pending > 10 {
		t.Errorf("%d terms pending: carries were not resolved", sum.pending)
	}
	sum.Add(math.MaxFloat64)
	if got := sum.Float64(); got != 15 {
		t.Errorf("%g instead of 15", got)
	}
	// Doubling by merging a sum with itself reaches 2^62 terms.
	var many Sum
	many.AddProduct(math.MaxFloat64, -math.MaxFloat64)
	for range 62 {
		many.Merge(&many)
	}
	want := new(big.Rat).SetFloat64(math.MaxFloat64)
	want.Mul(want, want).Mul(want, new(big.Rat).SetInt(new(big.Int).Lsh(big.NewInt(-1), 62+Scale)))
	if got := new(big.Rat).SetInt(many.Int()); got.Cmp(want) != 0 {
		t.Errorf("2^62 of the largest squares: %v bits instead of %v", got.Num().BitLen(), want.Num().BitLen())
	}
}

func TestNotFiniteStays(t *testing.T) {
	t.Parallel()
	for _, x := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		var sum, product, merged Sum
		sum.Add(x)
		sum.Add(1)
		product.AddProduct(0, x)
		merged.Merge(&sum)
		var vector Vector
		vector.Add(2, 1)
		vector.Add(2, x)
		for _, got := range []float64{sum.Float64(), product.Float64(), merged.Float64(), vector.At(2)} {
			if !math.IsNaN(got) {
				t.Errorf("%g among the terms: %g", x, got)
			}
		}
		if sum.Int() != nil {
			t.Errorf("%g among the terms: %v", x, sum.Int())
		}
	}
}

func TestVectorIsManyExactSums(t *testing.T) {
	t.Parallel()
	const seed = 2
	r := rand.New(rand.NewPCG(seed, 0))
	terms := make([][]float64, 400)
	var vector Vector
	for i := range terms {
		switch i % 4 {
		case 0:
			terms[i] = nasty(r, r.IntN(6))
		case 1: // money: the low half is enough
			for range r.IntN(30) {
				terms[i] = append(terms[i], float64(r.IntN(1e6))/100)
			}
		case 2:
			terms[i] = []float64{float64(i)}
		}
	}
	type term struct {
		i int
		x float64
	}
	var shuffled []term
	for i := range terms {
		for _, x := range terms[i] {
			shuffled = append(shuffled, term{i, x})
		}
	}
	r.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	for _, s := range shuffled {
		vector.Add(s.i, s.x)
	}
	for i := range terms {
		if got, want := vector.At(i), exactly(terms[i]); !same(got, want) {
			t.Fatalf("seed %d: sum %d is %g instead of %g of %v", seed, i, got, want, terms[i])
		}
	}
	if len(vector.wide) == 0 || len(vector.low) == 0 {
		t.Errorf("%d wide sums, %d with a low half: the test reaches neither", len(vector.wide), len(vector.low))
	}
	for i := 1; i < len(terms); i += 4 {
		if _, ok := vector.wide[i]; ok {
			t.Errorf("sum %d of money needs a wide sum", i)
		}
	}
}

// TestVectorTakesWholeNumbersAndParts adds whole numbers, of any size, and floats to the same sums, split between vectors that are
// merged.
func TestVectorTakesWholeNumbersAndParts(t *testing.T) {
	t.Parallel()
	const seed = 4
	r := rand.New(rand.NewPCG(seed, 0))
	for round := range 200 {
		const n = 7
		var parts [3]Vector
		parts[0].Expect(n)
		want := make([]*big.Rat, n)
		for i := range want {
			want[i] = new(big.Rat)
			for range r.IntN(8) {
				into := &parts[r.IntN(len(parts))]
				if r.IntN(2) == 0 {
					x := nasty(r, 1)[0]
					into.Add(i, x)
					want[i].Add(want[i], new(big.Rat).SetFloat64(x))
					continue
				}
				x := []int64{int64(r.IntN(100)), int64(r.Uint64()), math.MaxInt64, math.MinInt64}[r.IntN(4)]
				into.AddInt(i, x)
				want[i].Add(want[i], new(big.Rat).SetInt64(x))
			}
		}
		var sum Vector
		for i := range parts {
			sum.Merge(&parts[i])
		}
		for i := range want {
			if x, _ := want[i].Float64(); !same(sum.At(i), x) {
				t.Fatalf("seed %d round %d: sum %d is %g instead of %g", seed, round, i, sum.At(i), x)
			}
		}
	}
	var none Vector
	if none.Expect(3); !none.Empty() || none.At(2) != 0 {
		t.Error("nothing was added, and the vector is not empty")
	}
	if none.AddInt(0, 0); none.Empty() {
		t.Error("a number was added, and the vector is empty")
	}
}

func FuzzSum(f *testing.F) {
	seed := func(terms ...float64) {
		var data []byte
		for _, x := range terms {
			data = binary.LittleEndian.AppendUint64(data, math.Float64bits(x))
		}
		f.Add(data, uint8(3))
	}
	seed(1e308, 1, -1e308, 5e-324)
	seed(1, 0x1p-53, 5e-324)
	seed(0.1, 0.2, -0.3)
	f.Fuzz(func(t *testing.T, data []byte, split uint8) {
		var terms []float64
		for ; len(data) >= 8 && len(terms) < 64; data = data[8:] {
			if x := math.Float64frombits(binary.LittleEndian.Uint64(data)); !math.IsNaN(x) && !math.IsInf(x, 0) {
				terms = append(terms, x)
			}
		}
		var sum, square, part Sum
		var vector Vector
		for i, x := range terms {
			if i < int(split) {
				part.Add(x)
			} else {
				sum.Add(x)
			}
			square.AddProduct(x, x)
			vector.Add(1, x)
		}
		sum.Merge(&part)
		want := exactly(terms)
		if got := sum.Float64(); !same(got, want) {
			t.Errorf("sum %g instead of %g", got, want)
		}
		if got := vector.At(1); !same(got, want) {
			t.Errorf("vector's sum %g instead of %g", got, want)
		}
		if got, want := square.Float64(), squares(terms); !same(got, want) {
			t.Errorf("squares %g instead of %g", got, want)
		}
	})
}

func BenchmarkSumAdd(b *testing.B) {
	terms := nasty(rand.New(rand.NewPCG(3, 0)), 1024)
	var sum Sum
	for i := 0; b.Loop(); i++ {
		sum.Add(terms[i&1023])
	}
}

func BenchmarkSumAddProduct(b *testing.B) {
	terms := nasty(rand.New(rand.NewPCG(3, 0)), 1024)
	var sum Sum
	for i := 0; b.Loop(); i++ {
		sum.AddProduct(terms[i&1023], terms[i&1023])
	}
}

func BenchmarkVectorAdd(b *testing.B) {
	var vector Vector
	for i := 0; b.Loop(); i++ {
		vector.Add(i&0xffff, float64(i&1023)/100)
	}
}
