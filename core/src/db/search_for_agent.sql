WITH wanted AS MATERIALIZED (
    SELECT grp, fold(word) AS word, length(word) >= 4 AND word !~ '[0-9]' AS loosely
    FROM unnest($2::int[], $3::text[]) AS typed (grp, word)
), things AS MATERIALIZED (
    SELECT grp, string_agg(quote_literal(word) || ':A', '|')::tsquery AS named, string_agg(quote_literal(word), '|')::tsquery AS whole,
        string_agg(quote_literal(word) || CASE WHEN loosely THEN ':*' ELSE '' END, '|')::tsquery AS start
    FROM wanted GROUP BY grp
), stocked AS MATERIALIZED (
    SELECT id, search_name, search_words FROM products WHERE shop_id = $1 AND active
), standing AS MATERIALIZED (
    SELECT s.id, t.grp, CASE WHEN s.search_words @@ t.named THEN 1.0 WHEN s.search_words @@ t.whole THEN 0.8 ELSE 0.7 END AS fit
    FROM things t JOIN stocked s ON s.search_words @@ t.start
), similar_names AS (
    SELECT s.id, w.grp, max(0.8 * word_similarity(w.word, s.search_name)) AS fit
    FROM wanted w JOIN stocked s ON word_similarity(w.word, s.search_name) >= 0.5
    WHERE w.loosely AND NOT EXISTS (SELECT FROM standing WHERE standing.grp = w.grp)
    GROUP BY s.id, w.grp
), fits AS (
    SELECT id, grp, fit, ln(1 + (SELECT count(*) FROM stocked)::float8 / count(*) OVER (PARTITION BY grp)) AS rarity
    FROM (SELECT * FROM standing UNION ALL SELECT * FROM similar_names) AS both_kinds
), ranked AS (
    SELECT id, sum(fit * rarity) AS score FROM fits GROUP BY id
)
SELECT {columns}
FROM ranked r JOIN products p ON p.shop_id = $1 AND p.id = r.id
WHERE r.score >= 0.45 * (SELECT max(score) FROM ranked)
ORDER BY r.score DESC, (p.stock > 0) DESC, p.id
LIMIT $4
