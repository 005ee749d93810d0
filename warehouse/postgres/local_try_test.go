package postgres
import ("testing";"context";"log/slog";"time";"crosslift/warehouse/postgres/local")
func TestTry(t *testing.T){
 s:=time.Now()
 c,err:=local.Join(context.Background(), t.TempDir(), slog.Default()); if err!=nil{t.Fatal(err)}
 t.Log(time.Since(s), c.URL("owner"))
 s=time.Now()
 db,err:=Open(context.Background(), c.URL("owner"), slog.Default()); if err!=nil{t.Error(err)}
 t.Log(time.Since(s)); _=db
 s=time.Now()
 db2,err:=Open(context.Background(), c.URL("owner"), slog.Default()); if err!=nil{t.Error(err)}
 t.Log(time.Since(s)); _=db2
 r,err:=db2.BeginRun(context.Background(),RunInfo{"x","v"}); t.Log(r,err)
 cl,err:=r.Claim(context.Background(),Task{"j","e",20000}); t.Log(cl,err)
 _,err=r.Claim(context.Background(),Task{"j","e",20000}); t.Log(err)
 r2,_:=db2.BeginRun(context.Background(),RunInfo{"x","v"})
 _,err=r2.Claim(context.Background(),Task{"j","e",20000}); t.Log(err)
 t.Log(cl.Finish(context.Background(),Outcome{State:"done"}))
 t.Log(cl.Finish(context.Background(),Outcome{State:"done"}))
 a,err:=db.Tasks(context.Background(),0,30000); t.Log(a,err)
 rr,err:=db.Results(context.Background(),""); t.Log(rr,err)
 t.Log(r.End(context.Background(),0))
 ru,err:=db.Runs(context.Background(),3); t.Log(ru,err)
 t.Log(db.Close(), db2.Close())
 t.Log(c.Leave(context.Background()))
}
