import { memo } from "react";

import type { Product } from "../../react/agentData.ts";
import { useAgentWords } from "../words/agents.ts";
import { useLanguage } from "../words/index.ts";
import { CategorySign } from "./CategorySign.tsx";
import { roubles } from "./figures.ts";

/** Pieces that an agent recommends, best first. */
export function ProductCards({ products }: { products: readonly Product[] }) {
  const words = useAgentWords();
  if (products.length === 0) return null;
  return (
    <ul className="products" aria-label={words.products}>
      {products.map((product) => (
        <li key={product.id}>
          <ProductCard product={product} />
        </li>
      ))}
    </ul>
  );
}

const ProductCard = memo(function ProductCard({ product }: { product: Product }) {
  const words = useAgentWords();
  const language = useLanguage();
  const { id, name, category, material, price, oldPrice, reason, isInStock } = product;
  return (
    <article className="product" data-product={id}>
      <CategorySign category={category} />
      <div className="product__facts">
        <h4>{name}</h4>
        <p className="product__material">{material}</p>
        <p className="product__price">
          <strong>{roubles(price, language)}</strong>
          {oldPrice !== null && (
            <>
              {" "}
              <span className="unseen">{words.before}</span> <s>{roubles(oldPrice, language)}</s>
            </>
          )}
        </p>
        {reason !== "" && <p className="product__reason">{reason}</p>}
        <p className={isInStock ? "product__stock is-there" : "product__stock"}>
          {isInStock ? words.inStock : words.notInStock}
          <span> · {id}</span>
        </p>
      </div>
    </article>
  );
});
